"""What a prompt asks for, apart from what it tells: the subject, and the wishes about the look that are not drawn."""

import re
from typing import Final

_KINDS: Final = (
    r"infographics?|charts?|posters?|diagrams?|images?|pictures?|visuali[sz]ations?|timelines?|graphics?|illustrations?|"
    r"flow\s?charts?|graphs?|slides?|drawings?|summar(?:y|ies)|cards?|mind ?maps?|comparisons?"
)
_ASKED: Final = re.compile(
    r"^(?:please\s+|can you\s+|could you\s+|i (?:want|need|would like)\s+(?:you to\s+)?)*"
    r"(?:(?:create|make|draw|design|generate|produce|build|give|show|prepare|render)\s+(?:me\s+|us\s+)?)?"
    rf"(?:an?|the|one|some)?\s*(?:[\w-]+\s+){{0,5}}?(?:{_KINDS})\b\s*"
    r"(?:(?:that|which)\s+(?:shows?|explains?|compares?|describes?|illustrates?|tells?|presents?)\s+|"
    r"(?:about|on|of|for|to|showing|explaining|comparing|describing|illustrating|titled|called|named)\s+)?[:,—–-]?\s*(?P<subject>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ASKED_VERB: Final = re.compile(
    r"^(?:please\s+)?(?:draw|create|make|design|generate|illustrate|explain|visuali[sz]e|show|compare|summari[sz]e)\s+(?:me\s+|us\s+)?(?P<subject>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_ABOUT_CHINESE: Final = re.compile(
    r"^(?:请|请你|帮我|麻烦|给我|为我|我想要?|我要|我需要)*(?:用?[一1]?[张幅份个页]?)?(?:生成|制作|做|画|绘制|设计|创建|来|出)?(?:[一1]?[张幅份个页])?"
    r"[^，。,:：关]{0,8}?关于(?P<subject>.+?)的[^，。,:：的]{0,10}?(?:信息图|信息长图|长图|图表|海报|示意图|流程图|时间线|时间轴|对比图|插图|图片|图解|图)"
)
_KIND_CHINESE: Final = (
    r"(?:信息图|信息长图|长图|图表|海报|示意图|流程图|时间线|时间轴|对比图|插图|图片|图解|柱状图|折线图|饼图|条形图|图)"
)
_ASKED_CHINESE: Final = re.compile(
    r"^(?:请|请你|帮我|麻烦|给我|为我|我想要?|我要|我需要)*(?:生成|制作|做|画|绘制|设计|创建|来|出)(?:[一1]?[张幅份个页])?"
    rf"(?:[^，。,:：]{{0,8}}?{_KIND_CHINESE})[，,:：]?(?:来|用来|用于|用以)?(?:主题[是为]?|标题[是为]?|内容[是为]?)?(?:展示|介绍|说明|解释|讲解|描述|比较|对比|显示)?[，,:：]?(?P<subject>.*)$",
    re.DOTALL,
)
_OF_CHINESE: Final = re.compile(
    r"^(?:请|请你|帮我|麻烦|给我|为我|我想要?|我要|我需要)*(?:生成|制作|做|画|绘制|设计|创建|来|出)(?:[一1]?[张幅份个页])?"
    r"(?:展示|介绍|说明|解释|讲解|描述|比较|对比|显示)?"
    rf"(?![一1]?[张幅份个页]|信息|长图|图[表片解]|海报|示意|流程图|时间[线轴]|柱状|折线|饼图|条形|对比图|插图|简[洁约单]|精美|漂亮|好看|清晰|专业|现代|彩色|可爱)(?P<subject>[^，。,:：]{{2,24}}?)的?{_KIND_CHINESE}(?:[，,:：](?P<told>.+))?$",
    re.DOTALL,
)
_NAMED: Final = re.compile(
    r"(?:\b(?:en)?titled|\bcalled|\bnamed|\bwith the title|标题[为是]|题为|名为)\s*[:：]?\s*"
    r"(?:\"(?P<a>[^\"\n]{2,90})\"|“(?P<b>[^”\n]{2,90})”|《(?P<c>[^》\n]{2,90})》|「(?P<d>[^」\n]{2,90})」)",
    re.IGNORECASE,
)
_DRAW_CHINESE: Final = re.compile(
    r"^(?:请|请你|帮我|麻烦|给我|为我|我想要?|我要|我需要)*(?:(?:生成|制作|画出?|绘制|设计|创建)(?:[一1]?[张幅份个页])?|用图(?:片|表)?)"
    rf"(?:展示|介绍|说明|解释|讲解|描述|比较|对比|显示)?(?P<subject>.+?)(?:的?{_KIND_CHINESE})?$",
    re.DOTALL,
)
_TITLE: Final = re.compile(
    r"^\s*(?:title|headline|topic|subject|标题|题目|主题)\s*(?:[:：=]|是|为)\s*(?P<title>.+?)\s*$", re.IGNORECASE
)
_SUBTITLE: Final = re.compile(r"^\s*(?:subtitle|tagline|副标题)\s*(?:[:：=]|是|为)\s*(?P<title>.+?)\s*$", re.IGNORECASE)
_TAIL: Final = re.compile(
    r"[\s,，;；]*(?:\bas (?:an? )?(?:[\w-]+ )?(?:chart|graph|infographic|poster|diagram|picture|image|timeline)s?\b.*"
    r"|\b(?:with|using|based on|from|given) (?:the |this |these )?"
    r"(?:following|data|figures|numbers|sections?|steps?|points?|table)\b.*"
    r"|\bin (?:an? )?[\w\s,-]{0,30}\bstyle\b.*|\b(?:with|in) [\w\s,-]{0,24}\bcolou?rs?\b.*"
    r"|(?:数据|内容|要点|步骤|资料)?如下.*|(?:采用|使用|用)[^，。]{0,12}(?:风格|配色|色调).*|[^，。]{0,8}风格.*)$",
    re.IGNORECASE | re.DOTALL,
)
_WISH: Final = re.compile(
    r"^(?:please\s+)?(?:use|make (?:it|the)|keep|ensure|avoid|style|layout|format|size|aspect|background|"
    r"colou?rs?|fonts?|the (?:style|layout|design|background|colou?rs?|fonts?|text)|it should|"
    r"do not|don't|no\b|high quality|flat design)\b"
    r"|\b(?:infographics?|aspect ratio|resolution|colou?r (?:scheme|palette)|font|flat design|minimalist|"
    r"visual hierarchy)\b"
    r"|^(?:请|要求|注意|风格|配色|背景|字体|排版|布局|画面|整体|比例|尺寸|使用|采用)|配色|色调|扁平|简约|风格[为是]|信息图|排版|高清|分辨率",
    re.IGNORECASE,
)
_VERSUS: Final = re.compile(
    r"\b(?:vs\.?|versus|compar(?:e|ed|ing|ison)|pros and cons|differences? between)\b|对比|比较|区别|优缺点|相比|PK",
    re.IGNORECASE,
)
_PROCESS: Final = re.compile(
    r"\b(?:cycle|process|steps?|how|stages?|workflow|pipeline|life of|journey)\b"
    r"|循环|过程|流程|步骤|如何|怎么|怎样|阶段",
    re.IGNORECASE,
)
_HAN: Final = re.compile("[\u4e00-\u9fff]")
_LATIN: Final = re.compile("[A-Za-z]")
_BEGINNING: Final = 4000
_LONGEST_REQUEST: Final = 400
_EDGES: Final = " \t\n.,;:!，。；：！、—–-"


def subject_of(sentence: str) -> str | None:
    """What a sentence asks a picture of; empty where it names none, None where it asks for nothing."""
    text = sentence.strip()
    if (named := _NAMED.search(text[:_LONGEST_REQUEST])) and named.lastgroup:
        return tidy(named[named.lastgroup])
    for pattern in (_ABOUT_CHINESE, _OF_CHINESE, _ASKED_CHINESE, _ASKED, _DRAW_CHINESE, _ASKED_VERB):
        if match := pattern.match(text[:_LONGEST_REQUEST]):
            subject, told = match["subject"], match.groupdict().get("told")
            return f"{tidy(subject)}: {told}" if told else tidy(_TAIL.sub("", subject))
    return None


def title_of(line: str) -> str | None:
    """The title that a line gives in so many words."""
    match = _TITLE.match(line[:_LONGEST_REQUEST])
    return tidy(match["title"]) if match else None


def subtitle_of(line: str) -> str | None:
    """The subtitle that a line gives in so many words."""
    match = _SUBTITLE.match(line[:_LONGEST_REQUEST])
    return tidy(match["title"]) if match else None


def is_wish(sentence: str) -> bool:
    """Whether a sentence says how the picture shall look and not what it shall say."""
    return bool(_WISH.search(sentence.strip()[:300]))


def compares(prompt: str) -> bool:
    """Whether a prompt speaks of things to be compared."""
    return bool(_VERSUS.search(prompt))


def goes_on(prompt: str) -> bool:
    """Whether a prompt speaks of what happens one after the other."""
    return bool(_PROCESS.search(prompt))


def is_chinese(text: str) -> bool:
    """Whether a text is to be set as Chinese."""
    text = text[:_BEGINNING]
    return len(_HAN.findall(text)) * 6 > len(_LATIN.findall(text))


def tidy(text: str) -> str:
    """A text without quotation marks and punctuation around it, with a capital letter unless it is an iPhone."""
    text = text.strip(_EDGES).strip("\"'“”‘’《》「」*#").strip(_EDGES)
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
