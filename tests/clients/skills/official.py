"""A repository of the shape of SenseNova's official skills (SenseNova-Skills, August 2026)."""

from pathlib import Path

from tests.clients.skills.sources import Repository, make_repository

FILES = {
    "README.md": "# SenseNova-Skills\n",
    ".env.example": "SN_API_KEY=\nSN_BASE_URL=https://token.sensenova.cn/v1\n",
    "docs/faq.md": "# FAQ\n",
    "examples/report/SKILL.md": "an example of a result, and no skill\n",
    "skills/sn-image-base/SKILL.md": """---
name: sn-image-base
description: |
  Base-layer skill for the SenseNova-Skills project.
  This skill is not user-facing.
triggers:
  - "SenseNova 图像基础工具"
  - "sn-image-base"
metadata:
  project: SenseNova-Skills
  tier: 0
  category: infrastructure
  user_visible: false
---

# sn-image-base
""",
    "skills/sn-image-base/requirements.txt": "httpx\n",
    "skills/sn-image-base/scripts/sn_agent_runner.py": "#!/usr/bin/env python3\nprint('ok')\n",
    "skills/sn-image-base/lib/llm/adapter.py": "VALUE = 1\n",
    "skills/sn-search-image/SKILL.md": """---
name: sn-search-image
description: >
  USE FOR image discovery.
  触发词：图片搜索、搜图
metadata: {"openclaw":{"requires":{"bins":["python3"],"env":["SERPER_API_KEY"]},"primaryEnv":"SERPER_API_KEY"}}
---

# Image search
""",
    "skills/sn-da-excel-workflow/SKILL.md": """---
name: sn-da-excel-workflow
description: "Excel 数据分析多步编排器。**遇到以下任一情况就主动使用本 skill**：①用户说：Excel 分析；②上传了 .xlsx。"
metadata:
  openclaw:
    requires:
      bins:
        - python3
---

# Workflow
""",
    "skills/sn-da-excel-workflow/capability/excel-reading/range-reading/SKILL.md": """---
name: range-reading
description: 特定区域数据提取
---
""",
    "skills/sn-da-excel-workflow/capability/styling/Table_Theme/SKILL.md": """---
name: Table_Theme
description: 样式
---
""",
    "skills/sn-ppt-workbench/SKILL.md": "---\nname: sn-ppt-workbench\ndescription: Edits decks in a browser.\n---\n",
    "skills/sn-ppt-workbench/workbench-runtime/static/js/app.js": "console.log(1)\n",
}
NAMES = ["sn-da-excel-workflow", "sn-image-base", "sn-ppt-workbench", "sn-search-image"]


def make_official(path: Path) -> Repository:
    """The repository, committed, with a script that is executable and a link beside the skills."""
    repository = make_repository(path)
    for name, text in FILES.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (path / "skills/sn-image-base/scripts/sn_agent_runner.py").chmod(0o755)
    (path / "CLAUDE.md").symlink_to("README.md")
    repository.commit()
    return repository
