import type { Texts } from "./en";
import { connect } from "./zh/connect";
import { doctor } from "./zh/doctor";
import { entrance } from "./zh/entrance";
import { files } from "./zh/files";
import { keys } from "./zh/keys";
import { knowledge } from "./zh/knowledge";
import { models } from "./zh/models";
import { overview } from "./zh/overview";
import { playground } from "./zh/playground";
import { providers } from "./zh/providers";
import { requests } from "./zh/requests";
import { settings } from "./zh/settings";
import { skills } from "./zh/skills";
import { team } from "./zh/team";

export const zh: Texts = {
  brand: { name: "Rixin", other: "日新" },
  nav: {
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
  },
  roles: { owner: "所有者", admin: "管理员", auditor: "审计员", member: "成员" },
  scopes: { inference: "inference：调用模型", admin: "admin：管理接口", metrics: "metrics：读取指标" },
  preferences: { language: "语言", theme: "主题", system: "跟随系统", light: "浅色", dark: "深色" },
  actions: {
    title: "操作",
    copy: "复制",
    copied: "已复制",
    more: "显示更多",
    done: "完成",
    cancel: "取消",
    delete: "删除",
    deleteNamed: "删除 {{name}}",
    refresh: "刷新",
  },
  states: {
    loading: "加载中",
    failed: "操作未成功。",
    retry: "重试",
    unreachable: "无法连接服务器。",
    nothingHere: "没有这个页面。",
    toOverview: "返回概览",
  },
  entrance,
  overview,
  engines: {
    ready: "就绪",
    starting: "加载中",
    pulling: "下载中",
    stopped: "未加载",
    stopping: "卸载中",
    backing_off: "等待重试",
    failed: "失败",
  },
  dialects: { chat: "Chat Completions", responses: "Responses", messages: "Messages", native: "SenseNova 原生", gemini: "Gemini" },
  languages: { curl: "curl", python: "Python", javascript: "JavaScript", codex: "Codex", claude: "Claude Code" },
  operations: { generate: "对话", embed: "向量", draw: "图像", count: "计数" },
  playground,
  presets: { "thinking-general": "思考·通用", "thinking-coding": "思考·精确编程", "instruct-general": "非思考·通用", "instruct-reasoning": "非思考·推理", none: "清除" },
  parameters: {
    temperature: "温度",
    topP: "Top P",
    topK: "Top K",
    minP: "Min P",
    presencePenalty: "存在惩罚",
    repetitionPenalty: "重复惩罚",
    maxTokens: "最大 Token 数",
    effort: "思考强度",
  },
  keys,
  models,
  requests,
  usage: {
    about: "Token 与费用，按 UTC 日期统计。",
    range: "范围",
    lastDays_one: "最近一天",
    lastDays_other: "最近 {{count}} 天",
    csv: "CSV",
    by: "分组",
    model: "模型",
    key: "密钥",
    user: "用户",
    team: "团队",
    provider: "上游",
    day: "日期",
    nobody: "无归属",
    daily: "每日 Token",
    requests: "请求数",
    errors: "错误",
    prompt_tokens: "输入 Token",
    cached_tokens: "缓存",
    completion_tokens: "输出 Token",
    reasoning_tokens: "思考",
    cost: "费用",
  },
  providers,
  connect,
  files,
  knowledge,
  settings,
  skills,
  team,
  doctor,
};
