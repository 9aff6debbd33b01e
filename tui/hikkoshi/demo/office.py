"""Years of an office's mail, the same each time: what was received, what was sent, what was filed."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from random import Random

from hikkoshi.demo import texts
from hikkoshi.demo.letters import STYLES_EN, STYLES_JA, Attachment, Letter, make_file
from hikkoshi.demo.texts import OWNER, OWNER_EN, PEOPLE, Person, Topic

_JST = timezone(timedelta(hours=9))
_START = datetime(2019, 4, 1, 9, 0, tzinfo=_JST)
_END = datetime(2026, 10, 30, 17, 0, tzinfo=_JST)
_FILE_SIZE = 60_000  # bytes of the largest attachment in the first year; they grow by an eighth a year


class Office:
    """Writes letters. Every one has a time and a Message-ID of its own."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - the same mail each time is what is wanted
        self._number = 1000

    def received(self, count: int, folder: str = "") -> list[Letter]:
        """`count` letters to us, oldest first, on topics that are filed in `folder` ('' for those of no own folder)."""
        return [self._write(when, folder, received=True) for when in self._times(count)]

    def sent(self, count: int, inbox: list[Letter]) -> list[Letter]:
        """`count` letters by us, oldest first; half of them are replies to one in `inbox`."""
        letters = [self._write(when, "", received=False) for when in self._times(count - count // 2)]
        letters += [self._reply(letter) for letter in self._rng.sample(inbox, count // 2)]
        return sorted(letters, key=lambda letter: letter.when)

    def _times(self, count: int) -> Iterator[datetime]:
        """Working hours, spread evenly over the years but for some scatter, ascending."""
        step = (_END - _START) / count
        for number in range(count):
            when = _START + step * (number + self._rng.random() * 0.9)
            yield when.replace(hour=self._rng.randrange(8, 19), minute=self._rng.randrange(60), microsecond=0)

    def _write(self, when: datetime, folder: str, *, received: bool) -> Letter:
        rng = self._rng
        # Quotations come from the Japanese half of the trade more often than not.
        other = rng.choice(PEOPLE)
        topics = texts.TOPICS_JA if other.language == "ja" else texts.TOPICS_EN
        fitting = [topic for topic in topics if topic.folder == folder]
        if not fitting:  # nothing is said about this in that language
            topics = texts.TOPICS_EN if topics is texts.TOPICS_JA else texts.TOPICS_JA
            fitting = [topic for topic in topics if topic.folder == folder]
            other = rng.choice([each for each in PEOPLE if each.language != other.language])
        topic = rng.choice(fitting)
        words = self._words(when, other.language)
        return self._letter(topic, words, other, when, received=received)

    def _words(self, when: datetime, language: str) -> dict[str, str]:
        self._number += 1
        later = when + timedelta(days=self._rng.randrange(4, 30))
        items = texts.ITEMS_JA if language == "ja" else texts.ITEMS_EN
        return {
            "number": str(self._number),
            "year": str(when.year),
            "month": str(later.month),
            "day": str(later.day),
            "item": self._rng.choice(items),
            "amount": str(self._rng.randrange(1, 40) * 25),
        }

    def _letter(self, topic: Topic, words: dict[str, str], other: Person, when: datetime, *, received: bool) -> Letter:
        me = OWNER if other.language == "ja" else OWNER_EN
        sender, to = (other, me) if received else (me, other)
        return Letter(
            sender=sender,
            to=to,
            subject=topic.subject.format(**words),
            body=topic.body.format(**words) + f"\n-- \n{sender.name}\n",
            when=when,
            style=self._rng.choice(STYLES_JA if other.language == "ja" else STYLES_EN),
            message_id=self._message_id(sender, when),
            received=received,
            attachments=self._files(topic, words, when),
        )

    def _files(self, topic: Topic, words: dict[str, str], when: datetime) -> tuple[Attachment, ...]:
        size = _FILE_SIZE * (8 + when.year - _START.year) // 8
        return tuple(
            make_file(name.format(**words), self._rng.randrange(size // 3, size), self._rng) for name in topic.files
        )

    def _message_id(self, sender: Person, when: datetime) -> str:
        self._number += 1
        return f"{when:%Y%m%d%H%M}.{self._number:06d}@{sender.address.partition('@')[2]}"

    def _reply(self, letter: Letter) -> Letter:
        japanese = letter.sender.language == "ja"
        when = letter.when + timedelta(minutes=self._rng.randrange(15, 3000))
        opening = "承知いたしました。ご連絡ありがとうございます。\n\n" if japanese else "Thank you, that is fine.\n\n"
        quoted = "".join(f"> {line}\n" for line in letter.body.splitlines())
        sender = OWNER if japanese else OWNER_EN
        return Letter(
            sender=sender,
            to=letter.sender,
            subject="Re: " + letter.subject.removeprefix("Re: "),
            body=opening + quoted + f"\n-- \n{sender.name}\n",
            when=when,
            style=letter.style,
            message_id=self._message_id(sender, when),
            received=False,
            in_reply_to=letter.message_id,
        )
