import type { Schemas } from "../../api/client";

/** The parameters of a request; null leaves one out. */
export type Parameters = {
  system: string;
  temperature: number | null;
  topP: number | null;
  topK: number | null;
  minP: number | null;
  presencePenalty: number | null;
  repetitionPenalty: number | null;
  maxTokens: number | null;
  effort: string | null;
};

export type ParameterName = Exclude<keyof Parameters, "system">;

export const NO_PARAMETERS: Parameters = {
  system: "",
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  presencePenalty: null,
  repetitionPenalty: null,
  maxTokens: null,
  effort: null,
};

/** The parameters that a preset sets. What it leaves out stays as it is, but for the effort: no effort is a mode too. */
export function presetParameters(preset: Schemas["SamplingView"]): Partial<Parameters> {
  const set = {
    temperature: preset.temperature,
    topP: preset.top_p,
    topK: preset.top_k,
    minP: preset.min_p,
    presencePenalty: preset.presence_penalty,
    repetitionPenalty: preset.repetition_penalty,
  };
  return { ...Object.fromEntries(Object.entries(set).filter(([, value]) => value !== null)), effort: preset.reasoning_effort };
}

/** Whether all that a preset sets is set. */
export function isSet(parameters: Parameters, preset: Schemas["SamplingView"]): boolean {
  return Object.entries(presetParameters(preset)).every(([name, value]) => parameters[name as ParameterName] === value);
}
