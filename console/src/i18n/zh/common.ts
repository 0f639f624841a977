export const brand = { name: "Rixin", other: "日新" };

export const nav = {
  label: "主导航",
  skip: "跳到内容",
  open: "打开导航",
  overview: "概览",
  playground: "体验",
  keys: "密钥",
  models: "模型",
  providers: "上游",
  requests: "请求",
  usage: "用量",
  team: "团队",
  connect: "接入",
  files: "文件",
  knowledge: "知识库",
  settings: "设置",
  skills: "技能",
  logOut: "退出登录",
  authOff: "仅本机可用，无需密钥",
};

export const roles = { owner: "所有者", admin: "管理员", auditor: "审计员", member: "成员" };

export const preferences = { language: "语言", theme: "主题", system: "跟随系统", light: "浅色", dark: "深色" };

export const actions = {
  title: "操作",
  copy: "复制",
  copied: "已复制",
  more: "显示更多",
  done: "完成",
  cancel: "取消",
  delete: "删除",
  deleteNamed: "删除 {{name}}",
  refresh: "刷新",
};

export const states = {
  loading: "加载中",
  failed: "操作未成功。",
  retry: "重试",
  unreachable: "无法连接服务器。",
  nothingHere: "没有这个页面。",
  toOverview: "返回概览",
};

export const limits = {
  requests: "{{amount}} 次请求（{{window}}内）",
  tokens: "{{amount}} Token（{{window}}内）",
  credits: "{{amount}} 额度点（{{window}}内）",
  money: "花费 {{amount}}（{{window}}内）",
  concurrency: "{{amount}} 个并发请求",
};
