"""Icons by the words that they stand beside."""

import re
from typing import Final

_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("clock", r"time|hour|minute|schedul|deadline|wait|时间|小时|分钟|等待|定时|日程|早起|作息"),
    ("chart", r"data|measur|analy|statist|growth|report|monitor|数据|分析|统计|增长|监测|报告"),
    (
        "people",
        r"team|people|communit|customer|users?\b|collabor|famil|society|团队|社区|客户|用户|人们|家庭|社会|合作|邻里|朋友",
    ),
    ("person", r"person|doctor|teacher|student|member|you\b|医生|老师|学生|个人|自己"),
    ("leaf", r"green|plant|nature|tree|forest|environment|organic|recycl|crop|绿|植物|自然|树|环境|环保|回收|农|叶"),
    ("bulb", r"idea|think|learn|innovat|insight|creativ|想法|思考|学习|创新|创意|灵感|理解"),
    ("shield", r"secur|protect|safe|risk|backup|defen|安全|保护|风险|备份|防"),
    ("globe", r"world|global|internet|web|countr|online|network|世界|全球|网络|国家|国际|互联"),
    (
        "coin",
        r"money|cost|price|sav(?:e|ing)|budget|financ|pay|revenue|sale|invest|钱|成本|价格|预算|金融|支付|收入|销售|投资|储蓄|付款",
    ),
    ("book", r"book|read|stud|document|guide|school|educat|书|阅读|文档|指南|学校|教育|课"),
    ("drop", r"water|rain|ocean|sea\b|river|drink|liquid|evapor|condens|precipit|水|雨|海|河|蒸发|凝结|降"),
    ("sun", r"sun|solar|light|summer|heat|warm|day\b|太阳|阳光|光|夏|热|温"),
    ("heart", r"health|heart|love|care|sleep|wellbeing|exercise|健康|心|爱|关怀|睡眠|运动"),
    ("bolt", r"energy|power|electric|fast|speed|performance|能源|电|快|速度|性能|动力"),
    ("home", r"home|house|city|build|room|家|房|城市|建筑|住"),
    ("gear", r"process|system|machine|tool|engine|config|automat|install|设置|系统|机器|工具|流程|配置|自动|加工|安装"),
    ("rocket", r"launch|start|deploy|release|space|ship|发布|启动|部署|上线|航天|火箭|发货|发射"),
    ("search", r"search|find|discover|explor|research|test|check|inspect|搜索|发现|探索|研究|检查|测试|检验"),
    ("mail", r"mail|message|send|receive|contact|request|order|邮件|消息|发送|接收|联系|请求|下单|订单"),
    ("lock", r"privacy|password|encrypt|key\b|access|隐私|密码|加密|权限|密钥"),
    ("flag", r"goal|target|finish|mile|result|deliver|complete|目标|完成|里程碑|结果|交付|签收"),
    ("cup", r"tea\b|coffee|cup|food|eat|cook|brew|meal|breakfast|茶|咖啡|杯|食|饮|烹|餐|泡"),
    ("star", r"best|quality|important|key\b|success|star|最|质量|重要|成功|关键|优"),
    ("check", r"benefit|advantage|done|approve|confirm|优势|好处|优点|确认|批准|审核"),
)
_PATTERNS: Final = tuple((icon, re.compile(words, re.IGNORECASE)) for icon, words in _WORDS)


def icon_for(*texts: str) -> str:
    """The icon that says most of what a text does, the first texts first; a dot where none does."""
    for text in texts:
        found = [(match.start(), icon) for icon, pattern in _PATTERNS if (match := pattern.search(text))]
        if found:
            return min(found)[1]
    return "dot"
