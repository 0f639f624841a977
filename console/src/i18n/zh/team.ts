import type { Texts } from "../en";

export const team: Texts["team"] = {
  about: "谁可以进入，谁做了什么。",
  add: "添加用户",
  users: "用户",
  audit: "审计日志",
  none: "还没有用户。",
  role: "角色",
  roleOf: "{{name}} 的角色",
  lastLogin: "最近登录",
  who: "操作者",
  what: "操作",
  target: "对象",
  from: "来源",
  passwordAbout: "通过身份提供方登录的用户无需密码。",
};
