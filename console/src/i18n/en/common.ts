export const brand = { name: "Rixin", other: "日新" };

export const nav = {
  label: "Main",
  skip: "Skip to the content",
  open: "Open the navigation",
  overview: "Overview",
  playground: "Playground",
  keys: "Keys",
  models: "Models",
  providers: "Providers",
  requests: "Requests",
  usage: "Usage",
  team: "Team",
  connect: "Connect",
  files: "Files",
  knowledge: "Knowledge",
  settings: "Settings",
  skills: "Skills",
  logOut: "Log out",
  authOff: "Open to this machine, without keys",
};

export const roles = { owner: "Owner", admin: "Admin", auditor: "Auditor", member: "Member" };

export const preferences = { language: "Language", theme: "Theme", system: "System", light: "Light", dark: "Dark" };

export const actions = {
  title: "Actions",
  copy: "Copy",
  copied: "Copied",
  more: "Show more",
  done: "Done",
  cancel: "Cancel",
  delete: "Delete",
  deleteNamed: "Delete {{name}}",
  refresh: "Refresh",
};

export const states = {
  loading: "Loading",
  failed: "This did not work.",
  retry: "Try again",
  unreachable: "The server cannot be reached.",
  nothingHere: "There is no such page.",
  toOverview: "To the overview",
};

export const limits = {
  requests: "{{amount}} requests in {{window}}",
  tokens: "{{amount}} tokens in {{window}}",
  credits: "{{amount}} credits in {{window}}",
  money: "{{amount}} spent in {{window}}",
  concurrency: "{{amount}} requests at a time",
};
