import { Button, Form, Input, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../api/client";
import { isSet, NO_PARAMETERS, type ParameterName, type Parameters, presetParameters } from "./parameters";

type Preset = Schemas["SamplingView"];

const NUMBERS = [
  { name: "temperature", step: 0.1, max: 2 },
  { name: "topP", step: 0.05, max: 1 },
  { name: "topK", step: 1, max: 1000 },
  { name: "minP", step: 0.05, max: 1 },
  { name: "presencePenalty", step: 0.1, max: 2 },
  { name: "repetitionPenalty", step: 0.1, max: 2 },
  { name: "maxTokens", step: 256, max: 1_000_000 },
] as const;

type Props = {
  value: Parameters;
  change: (value: Parameters) => void;
  /** Those that the makers of the models recommend. */
  presets: Preset[];
  efforts: string[];
  /** The parameters that the dialect has fields for. */
  takes: readonly ParameterName[];
};

/** What is asked for besides the conversation. What is left empty is not sent. */
export function ParameterForm({ value, change, presets, efforts, takes }: Props) {
  const { t } = useTranslation();
  const missing = (name: ParameterName) => (takes.includes(name) ? {} : { disabled: true, placeholder: t("playground.notInDialect") });
  return (
    <Form layout="vertical">
      <fieldset style={{ border: 0, padding: 0, margin: "0 0 16px" }}>
        <legend className="soft">{presets.length > 0 ? t("playground.presets") : t("playground.noPresets")}</legend>
        <div className="filters" style={{ margin: "6px 0 0" }}>
          {presets.map((preset) => (
            <Button key={preset.name} size="small" title={summary(preset, (name) => t(`parameters.${name}`))} type={isSet(value, preset) ? "primary" : "default"} aria-pressed={isSet(value, preset)} onClick={() => change({ ...value, ...presetParameters(preset) })}>
              {t(`presets.${preset.name}` as "presets.none", preset.description)}
            </Button>
          ))}
          <Button size="small" type="text" onClick={() => change({ ...NO_PARAMETERS, system: value.system })}>
            {t("presets.none")}
          </Button>
        </div>
      </fieldset>
      <Form.Item label={t("playground.system")} htmlFor="system">
        <Input.TextArea id="system" className="grows" rows={3} value={value.system} onChange={(event) => change({ ...value, system: event.target.value })} />
      </Form.Item>
      <div className="tiles" style={{ gridTemplateColumns: "1fr 1fr" }}>
        {NUMBERS.map(({ name, step, max }) => (
          <Form.Item key={name} label={t(`parameters.${name}`)} htmlFor={name} style={{ marginBottom: 8 }}>
            <InputNumber<number> id={name} style={{ width: "100%" }} min={0} max={max} step={step} value={value[name]} onChange={(number) => change({ ...value, [name]: number })} {...missing(name)} />
          </Form.Item>
        ))}
        {efforts.length > 0 && (
          <Form.Item label={t("parameters.effort")} htmlFor="effort" style={{ marginBottom: 8 }}>
            <Select id="effort" allowClear value={value.effort} onChange={(effort: string | undefined) => change({ ...value, effort: effort ?? null })} options={efforts.map((effort) => ({ value: effort, label: effort }))} {...missing("effort")} />
          </Form.Item>
        )}
      </div>
    </Form>
  );
}

function summary(preset: Preset, nameOf: (name: ParameterName) => string): string {
  const set = Object.entries(presetParameters(preset)).filter(([, value]) => value !== null);
  return set.map(([name, value]) => `${nameOf(name as ParameterName)} ${value}`).join(" · ");
}
