export const engines = {
  none: "本机没有运行模型。",
  ready: "就绪",
  starting: "加载中",
  pulling: "下载中",
  stopped: "未加载",
  stopping: "卸载中",
  backing_off: "等待重试",
  failed: "失败",
};

export const upstreams = {
  none: "还没有上游。请按地址添加，或从其他程序导入。",
  add: "添加上游",
  served: "可用",
  disabled: "已停用",
  resting: "{{keys}} 个密钥中 {{resting}} 个暂停",
  restingModels_one: "{{count}} 个模型暂停",
  restingModels_other: "{{count}} 个模型暂停",
};
