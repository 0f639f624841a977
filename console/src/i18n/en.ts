import { connect } from "./en/connect";
import { doctor } from "./en/doctor";
import { entrance } from "./en/entrance";
import { files } from "./en/files";
import { keys } from "./en/keys";
import { knowledge } from "./en/knowledge";
import { models } from "./en/models";
import { overview } from "./en/overview";
import { playground } from "./en/playground";
import { providers } from "./en/providers";
import { requests } from "./en/requests";
import { settings } from "./en/settings";
import { skills } from "./en/skills";
import { team } from "./en/team";

/** Every text of the console. Other languages have the same keys: the compiler checks it. */
export const en = {
  brand: { name: "Rixin", other: "日新" },
  nav: {
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
  },
  roles: { owner: "Owner", admin: "Admin", auditor: "Auditor", member: "Member" },
  scopes: { inference: "inference: ask models", admin: "admin: the admin API", metrics: "metrics: read metrics" },
  preferences: { language: "Language", theme: "Theme", system: "System", light: "Light", dark: "Dark" },
  actions: {
    title: "Actions",
    copy: "Copy",
    copied: "Copied",
    more: "Show more",
    done: "Done",
    cancel: "Cancel",
    delete: "Delete",
    deleteNamed: "Delete {{name}}",
    refresh: "Refresh",
  },
  states: {
    loading: "Loading",
    failed: "This did not work.",
    retry: "Try again",
    unreachable: "The server cannot be reached.",
    nothingHere: "There is no such page.",
    toOverview: "To the overview",
  },
  entrance,
  overview,
  engines: {
    ready: "Ready",
    starting: "Loading",
    pulling: "Downloading",
    stopped: "Not loaded",
    stopping: "Unloading",
    backing_off: "Waiting to try again",
    failed: "Failed",
  },
  dialects: { chat: "Chat Completions", responses: "Responses", messages: "Messages", native: "SenseNova native", gemini: "Gemini" },
  languages: { curl: "curl", python: "Python", javascript: "JavaScript", codex: "Codex", claude: "Claude Code" },
  operations: { generate: "chat", embed: "embeddings", draw: "images", count: "token count" },
  playground,
  presets: { "thinking-general": "Thinking", "thinking-coding": "Thinking, precise coding", "instruct-general": "No thinking", "instruct-reasoning": "No thinking, reasoning tasks", none: "Clear" },
  parameters: {
    temperature: "Temperature",
    topP: "Top P",
    topK: "Top K",
    minP: "Min P",
    presencePenalty: "Presence penalty",
    repetitionPenalty: "Repetition penalty",
    maxTokens: "Most tokens",
    effort: "Reasoning effort",
  },
  keys,
  models,
  requests,
  usage: {
    about: "Tokens and costs; days are in UTC.",
    range: "Range",
    lastDays_one: "Last day",
    lastDays_other: "Last {{count}} days",
    csv: "CSV",
    by: "Group by",
    model: "Model",
    key: "Key",
    user: "User",
    team: "Team",
    provider: "Provider",
    day: "Day",
    nobody: "nobody's",
    daily: "Tokens by the day",
    requests: "Requests",
    errors: "Errors",
    prompt_tokens: "Tokens in",
    cached_tokens: "Cached",
    completion_tokens: "Tokens out",
    reasoning_tokens: "Reasoning",
    cost: "Cost",
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

/** The same keys with other texts. */
export type Texts = { [Room in keyof typeof en]: { [Name in keyof (typeof en)[Room]]: string } };
