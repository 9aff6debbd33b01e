"""What a small office writes and is written to. Nobody in it is real, and all addresses are of RFC 2606's domains."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A correspondent and the language that is spoken with them ('en' or 'ja')."""

    name: str
    address: str
    language: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject and a body with places for number, month, year, item, amount and date; `files`: what is attached.

    `folder`: the own folder that such mail is filed in, '' for none.
    """

    subject: str
    body: str
    files: tuple[str, ...] = ()
    folder: str = ""


QUOTATIONS = "見積"
PROJECTS = "Projects"

OWNER = Person("みなと文具 営業部", "office@example.co.jp", "ja")
OWNER_EN = Person("Minato Stationery, Sales", "office@example.co.jp", "en")

PEOPLE = (
    Person("佐藤（北斗商会）", "sato@hokuto.example.jp", "ja"),
    Person("高橋 購買課", "takahashi@purchase.example.co.jp", "ja"),
    Person("伊藤／若葉印刷", "ito@wakaba.example.jp", "ja"),
    Person("渡辺 経理", "keiri@example.co.jp", "ja"),
    Person("中村（つばめ運輸）", "nakamura@tsubame.example.jp", "ja"),
    Person("小林 総務部", "soumu@example.co.jp", "ja"),
    Person("加藤デザイン事務所", "info@kato-design.example.jp", "ja"),
    Person("吉田（さくら税理士法人）", "yoshida@sakura-tax.example.jp", "ja"),
    Person("Harbour Paper Trading", "orders@harbour.example.com", "en"),
    Person("Ellen Marsh", "e.marsh@northgate.example.com", "en"),
    Person("Tom Okafor", "tom@workshop.example.org", "en"),
    Person("Priya N., Freight Desk", "desk@freight.example.net", "en"),
    Person("Accounts, Lindqvist & Co.", "accounts@lindqvist.example.com", "en"),
)

ITEMS_JA = (
    "万年筆用インク",
    "和紙便箋",
    "名刺用紙",
    "封筒（角２）",
    "革手帳カバー",
    "卓上カレンダー",
    "シール用紙",
    "木製ペン立て",
)
ITEMS_EN = (
    "fountain pen ink",
    "letter paper",
    "card stock",
    "padded envelopes",
    "desk calendars",
    "leather covers",
    "label sheets",
)

TOPICS_JA = (
    Topic(
        "【お見積り】{item} {amount}個の件（見積番号 M-{number}）",
        "いつもお世話になっております。\n\nご依頼いただきました{item}につきまして、見積書をお送りいたします。\n"
        "数量は{amount}個、納期は{month}月{day}日頃を予定しております。\n\n"
        "ご不明な点がございましたら、お気軽にお問い合わせください。\n何卒よろしくお願い申し上げます。\n",
        ("見積書_M-{number}.pdf",),
        QUOTATIONS,
    ),
    Topic(
        "Re: 見積依頼（{item}）",
        "お見積りありがとうございます。\n\n社内で検討しましたところ、数量を{amount}個に変更したく存じます。\n"
        "お手数ですが、単価を再度ご提示いただけますでしょうか。\n\nよろしくお願いいたします。\n",
        (),
        QUOTATIONS,
    ),
    Topic(
        "{year}年{month}月分 ご請求書の送付",
        "平素より格別のお引き立てを賜り、厚く御礼申し上げます。\n\n"
        "{month}月分の請求書を添付いたしましたので、ご査収ください。\nお支払期日は翌月末日でございます。\n",
        ("請求書_{year}年{month}月.pdf",),
    ),
    Topic(
        "打ち合わせの日程について",
        "お世話になっております。\n\n次回の打ち合わせですが、{month}月{day}日の午後はいかがでしょうか。\n"
        "議題は次のとおりです。\n\n  一、{item}の納期\n  二、来期の予定\n  三、その他\n\nご都合をお知らせください。\n",
    ),
    Topic(
        "議事録：営業会議（{month}月{day}日）",
        "各位\n\n本日の営業会議の議事録をお送りします。\n\n・{item}は在庫が{amount}個となりました。\n"
        "・新しいカタログは来月に配布します。\n\n修正がありましたら今週中にご連絡ください。\n",
        ("議事録{year}{month}.txt",),
    ),
    Topic(
        "納品のご連絡（注文番号 {number}）",
        "ご注文の品を本日発送いたしました。\n\n品名：{item}\n数量：{amount}\n到着予定：{month}月{day}日\n\n"
        "お受け取りの際は数量をご確認ください。\n",
    ),
    Topic(
        "夏季休業のお知らせ",
        "誠に勝手ながら、{month}月{day}日より休業とさせていただきます。\nご不便をおかけしますが、ご了承ください。\n",
    ),
    Topic(
        "年末調整の書類について",
        "経理より\n\n年末調整の書類を{month}月{day}日までにご提出ください。\n用紙は総務部にございます。\n",
        ("提出書類一覧.csv",),
    ),
    Topic(
        "カタログの校正をお願いします",
        "添付の校正紙をご確認ください。\n{item}の写真を差し替えました。\n赤字は{day}日までにお戻しいただけると助かります。\n",
        ("校正_{number}.pdf", "写真_{number}.png"),
    ),
)

TOPICS_EN = (
    Topic(
        "Quotation Q-{number}: {item}",
        "Dear colleagues,\n\nplease find attached our quotation for {amount} boxes of {item}.\n"
        "It is valid until {month}/{day}. Delivery takes about three weeks.\n\nKind regards\n",
        ("Quotation Q-{number}.pdf",),
        QUOTATIONS,
    ),
    Topic(
        "Invoice {number}",
        "Hello,\n\nthe invoice for your order of {item} is attached. Payment is due within 30 days.\n\n"
        "Thank you for your business.\n",
        ("invoice-{number}.pdf",),
    ),
    Topic(
        "Minutes of our call",
        "Hi all,\n\nhere is what we agreed on:\n\n- {amount} samples of {item} by the end of the month\n"
        "- a new price list for {year}\n- Tom asks the printer about the lead time\n\n"
        "From here on we meet every second Tuesday.\n",
        (),
        PROJECTS,
    ),
    Topic(
        "Trade fair {year}: stand and schedule",
        "The organiser has confirmed our stand. The plan of the hall is attached.\n\n"
        "From the station it is ten minutes on foot. Set-up starts at 8:00.\n",
        ("hall-plan-{year}.png",),
        PROJECTS,
    ),
    Topic(
        "New catalogue, draft {number}",
        "I have put the new pictures of the {item} in. Page 12 still needs a text.\n\n"
        "Could you send me your corrections by the {day}th?\n",
        ("catalogue-draft-{number}.pdf",),
        PROJECTS,
    ),
    Topic(
        "Shipment {number} has left the warehouse",
        "Your shipment of {amount} x {item} is on its way and should arrive on {month}/{day}.\n\nFreight Desk\n",
    ),
    Topic(
        "Lunch on Friday?",
        "I shall be in town on Friday. Shall we have lunch and talk about the {item}?\n\nBest\n",
    ),
    Topic(
        "Re: price list {year}",
        "Thanks for the list. The price of the {item} looks right now.\nWe would like to order {amount} to begin with.\n",
        ("order-{number}.csv",),
    ),
    Topic(
        "Office closed on {month}/{day}",
        "Please note that our office will be closed on {month}/{day}. We shall answer your mail on the next day.\n",
    ),
    Topic(
        "Project plan, version {number}",
        "The new version of the plan is attached. The {item} come two weeks earlier than before.\n"
        "Please tell me by the {day}th whether that fits.\n",
        ("plan-{number}.csv",),
        PROJECTS,
    ),
)
