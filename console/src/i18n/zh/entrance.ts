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

export const refusals: Texts["refusals"] = {
  declined: "身份提供方未允许登录。请重试，或使用其他方式登录。",
  stray: "此次登录是在另一个浏览器中发起的，或已经完成。请重新登录。",
  expired: "登录超时，请重新登录。",
  untrusted: "身份提供方返回的信息未通过校验。请重试；如果仍然失败，请联系本服务器的所有者。",
  unverified: "身份提供方尚未验证你的电子邮箱。请先完成验证，再重新登录。",
  stranger: "你还不是本服务器的用户，请联系所有者邀请你加入。",
  other_way: "已有用户使用你的电子邮箱，并以其他方式登录。请改用该方式，或联系所有者。",
  disabled: "你的账号已停用，请联系所有者。",
  unavailable: "暂时无法连接身份提供方。请稍后再试，或使用其他方式登录。",
};
