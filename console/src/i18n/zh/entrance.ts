import type { Texts } from "../en";

export const entrance: Texts["entrance"] = {
  setUp: "初始化日新",
  setUpAbout: "创建第一位所有者，其他人由其邀请加入。",
  logIn: "登录",
  or: "或",
  with: "使用 {{provider}} 登录",
  token: "初始化令牌",
  tokenWhere: "服务器启动时显示过一次，也保存在数据目录的 setup-token 文件中。",
  name: "姓名",
  email: "电子邮箱",
  password: "密码",
  makeOwner: "创建所有者",
};
