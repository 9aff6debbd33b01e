"""The bytes of a mail as they will go up, read anew from this PC just before they are sent."""

from dataclasses import dataclass

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.dates import Dated
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.headers import header_block, identity_fields
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.mail.message import Message


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail ready to send: its bytes in CRLF form, their canonical digest, and the date it will be given."""

    content: bytes
    digest: bytes
    dated: Dated


def pack_parcel(store: LocalStore, folder: Folder, message: Message) -> Parcel:
    """Read a mail and see that it still is the one that was listed.

    Raises `LocalChanged` if it is not, `OSError` if it cannot be read.
    """
    content = upload_form(store.read(folder, message.place), mbox=store.is_mbox(folder))
    if len(content) != message.size or identity_fields(header_block(content)) != message.fields:
        raise LocalChanged(_("it changed on this PC since it was listed; refresh and upload again"))
    dated = store.header_dates(folder, message.place)
    if dated is None:
        raise LocalChanged(_("no date was found for it, and it must not be given today's"))
    return Parcel(content, canonical_digest(content), dated)
