export const engines = {
  none: "This machine runs no models of its own.",
  ready: "Ready",
  starting: "Loading",
  pulling: "Downloading",
  stopped: "Not loaded",
  stopping: "Unloading",
  backing_off: "Waiting to try again",
  failed: "Failed",
};

export const upstreams = {
  none: "There are no providers yet. Add one by its address, or import another program's.",
  add: "Add a provider",
  served: "Served",
  disabled: "Disabled",
  resting: "{{resting}} of {{keys}} keys rest",
  restingModels_one: "{{count}} model rests",
  restingModels_other: "{{count}} models rest",
};
