"""Facts of an organisation that does not exist, and questions that each one of them answers.

Half of both is in Chinese. `HIDDEN` are questions that share no content word with their answer, nor two neighbouring
characters of Chinese; some of them are asked in the other language.
"""

from typing import NamedTuple


class Case(NamedTuple):
    """A fact, and the question that it answers."""

    question: str
    fact: str


HIDDEN: tuple[Case, ...] = (
    Case("Where can I leave my bicycle?", "Two-wheelers are parked under the glass roof behind the east gate."),
    Case("How much holiday am I entitled to?", "Full-time staff receive twenty-six days of paid annual leave."),
    Case("When do wages arrive?", "Salaries are transferred on the twenty-fifth of each month."),
    Case("Is smoking tolerated anywhere?", "Cigarettes and vapes are banned on the whole site, balconies included."),
    Case("Who takes care of broken laptops?", "The helpdesk repairs faulty computers between nine and four."),
    Case("Can I bring my dog?", "Pets must stay at home; only assistance animals are admitted to the building."),
    Case(
        "What happens if I am ill?",
        "Report sickness to your team lead before ten and send a doctor's certificate on day three.",
    ),
    Case(
        "Which tongues are spoken at gatherings?",
        "Meetings are held in English, with interpretation into Portuguese on request.",
    ),
    Case("How do guests get online?", "Visitors receive a wireless voucher at reception that is valid for one week."),
    Case(
        "Are infants looked after during office hours?",
        "The nursery on Mill Lane takes care of staff members' children from seven until six.",
    ),
    Case(
        "How can I get reimbursed for a train journey?",
        "Travel expenses are refunded within two weeks once receipts are uploaded.",
    ),
    Case(
        "What should everybody do when flames break out?",
        "In case of fire, leave through the nearest exit and assemble by the fountain.",
    ),
    Case("员工可以在家上班吗", "每周允许两天远程办公，须提前一日登记。"),
    Case("钱什么时候打到卡里", "工资于每月二十五日发放，遇节假日提前。"),
    Case("哪里能停自行车", "两轮车请放在东门后面的玻璃棚下。"),
    Case("身体不舒服来不了怎么处理", "病假应在十点前告知主管，第三天起提交医院证明。"),
    Case("电脑坏了找谁", "信息台在九点至四点之间维修故障设备。"),
    Case("孩子放学没人带怎么办", "磨坊巷托儿所为职工子女提供看护，早七点开门，晚六点关门。"),
    Case("访客如何上网", "来宾可在前台领取一周有效的无线凭证。"),
    Case("着火以后往哪儿跑", "发生火灾时从最近的出口撤离，到喷泉旁集合。"),
    Case("坐高铁花的费用能退给我吗", "差旅票据上传后，两周内完成报销。"),
    Case("办公楼里准不准抽烟", "园区全面禁烟，阳台也不例外。"),
    Case("宠物能不能带进来", "除导盲犬外，任何动物不得入内。"),
    Case("食堂有没有不含肉的菜", "餐厅每天供应两种素食套餐。"),
    Case("What is served to people who eat no meat?", "午餐时段设有专门的素食窗口，位于二层北侧。"),
    Case("How do I change my password?", "修改口令请登录自助门户，点击“账户安全”。"),
    Case("图书馆几点关门", "The reading room closes at half past eight on weekdays and at noon on Saturdays."),
    Case(
        "新人第一天要做什么", "Newcomers collect their badge, sign the safety sheet and meet their mentor on arrival."
    ),
)
"""Questions that only their meaning leads to an answer."""

SPOKEN: tuple[Case, ...] = (
    Case(
        "Who approves purchases above 5000 crowns?",
        "Purchases above 5000 crowns are approved by the treasurer, Ilse Varga.",
    ),
    Case(
        "When was the Lowmere Institute founded?",
        "The Lowmere Institute was founded in 1911 by the surveyor Edda Holm.",
    ),
    Case(
        "What does the tide laboratory measure?",
        "The tide laboratory measures salinity and current speed every six minutes.",
    ),
    Case("How long are core samples kept?", "Core samples are kept for forty years in the cold store below hall D."),
    Case("Which boat carries the sonar?", "The survey boat Petrel carries the multibeam sonar and a crew of five."),
    Case("What colour is the badge of a contractor?", "Contractors wear an orange badge, employees a green one."),
    Case("How often are the fume hoods inspected?", "Fume hoods are inspected twice a year by an outside company."),
    Case(
        "Where is the spare key of the archive kept?",
        "The archive's spare key is kept in the porter's safe, envelope nine.",
    ),
    Case(
        "What is the minimum age for the summer school?", "The summer school admits students from the age of sixteen."
    ),
    Case(
        "Who edits the institute's newsletter?",
        "The newsletter is edited by Tomasz Brandt and appears every second Friday.",
    ),
    Case("测量船海燕号能载多少人", "测量船海燕号可载十二人，配有多波束声呐。"),
    Case("岩心样品保存多少年", "岩心样品在零下四度的库房里保存四十年。"),
    Case("采购超过五万元由谁审批", "采购金额超过五万元的，由总会计师顾明远审批。"),
    Case("澜河测绘院是哪一年成立的", "澜河测绘院成立于一九五四年，首任院长是陆其琛。"),
    Case("通风柜多久检查一次", "通风柜每半年检查一次，由第三方机构负责。"),
    Case("档案室的备用钥匙放在哪里", "档案室备用钥匙放在值班室保险柜的九号信封里。"),
    Case("暑期学校最低年龄是多少", "暑期学校招收年满十六岁的学生。"),
    Case("潮汐实验室测量什么", "潮汐实验室每六分钟测量一次盐度和流速。"),
    Case("院刊由谁主编", "院刊由唐若溪主编，双周五出版。"),
    Case("承包商的胸牌是什么颜色", "承包商佩戴橙色胸牌，正式职工佩戴绿色胸牌。"),
)
"""Questions as people ask them."""

_FAMILIES = ("Abara", "Bellweg", "Corvin", "Duarte", "Eklund", "Fonseca", "Grimshaw", "Hadley", "Ivarsen", "Jansky")
_GIVEN = ("Nora", "Silas", "Petra", "Ruben", "Odile", "Magnus")
_ROOMS = ("hall A", "hall B", "the annex", "the boathouse", "the tower", "the workshop", "the east wing")
_FAMILIES_ZH = ("沈", "陶", "柏", "郁", "祁", "岑", "钮", "邬", "阚", "蒯")
_GIVEN_ZH = ("若安", "知行", "怀瑾", "清越", "望舒", "子衿")
_ROOMS_ZH = ("东楼", "西楼", "水文站", "船坞", "观测塔", "机修间", "附楼")
_KINDS = ("flow meter", "theodolite", "barometer", "echo sounder", "drill head", "seismograph")
_KINDS_ZH = ("流速仪", "经纬仪", "气压计", "测深仪", "钻头", "地震仪")


def _staff() -> list[str]:
    return [
        f"{given} {family} sits in {_ROOMS[(i * 3 + j) % 7]}, extension {4100 + 17 * i + 3 * j}."
        for i, family in enumerate(_FAMILIES)
        for j, given in enumerate(_GIVEN)
    ]


def _staff_zh() -> list[str]:
    return [
        f"{family}{given}的座位在{_ROOMS_ZH[(i * 3 + j) % 7]}，分机号是{7200 + 19 * i + 3 * j}。"
        for i, family in enumerate(_FAMILIES_ZH)
        for j, given in enumerate(_GIVEN_ZH)
    ]


def _instruments() -> list[str]:
    return [
        f"The {_KINDS[number % 6]} QX-{310 + 7 * number} was calibrated in week {number % 50} by {_GIVEN[number % 6]}."
        for number in range(62)
    ]


def _instruments_zh() -> list[str]:
    return [
        f"{_KINDS_ZH[number % 6]}LH-{520 + 11 * number}于第{number % 50 + 1}周完成校准，存放在{_ROOMS_ZH[number % 7]}。"
        for number in range(62)
    ]


EXACT: tuple[Case, ...] = (
    *(
        Case(f"Whose extension is {_staff()[place].split()[-1].rstrip('.')}?", _staff()[place])
        for place in (4, 19, 33, 47, 58)
    ),
    *(
        Case(f"{_staff_zh()[place].split('分机号是')[1].rstrip('。')}是谁的分机", _staff_zh()[place])
        for place in (2, 16, 29, 41, 55)
    ),
    *(
        Case(f"When was {_instruments()[place].split(' was')[0].split()[-1]} calibrated?", _instruments()[place])
        for place in (3, 17, 31, 44, 60)
    ),
    *(
        Case(f"LH-{_instruments_zh()[place].split('LH-')[1].split('于')[0]}放在哪里", _instruments_zh()[place])
        for place in (5, 18, 30, 46, 61)
    ),
)
"""Questions for a number or a code, among many facts that differ in nothing else."""

CASES = (*HIDDEN, *SPOKEN, *EXACT)
FACTS: tuple[str, ...] = (
    *(case.fact for case in (*HIDDEN, *SPOKEN)),
    *_staff(),
    *_staff_zh(),
    *_instruments(),
    *_instruments_zh(),
    "The canteen's coffee machine takes coins and cards, but no notes.",
    "Parcels are handed out at the post counter until three.",
    "The roof garden is watered by rain collected in two tanks.",
    "Lowmere's archive holds nine thousand hand-drawn charts.",
    "Lockers that stay shut for a month are emptied.",
    "The choir rehearses on Tuesdays in the old boiler room.",
    "会议室须提前一天在系统里预订。",
    "院内班车每半小时一趟，末班车晚九点。",
    "打印机用完的墨盒投入走廊的红色箱子。",
    "羽毛球馆周末向家属开放。",
    "旧海图须戴手套翻阅。",
    "夏季台风期间所有船只停航。",
)
