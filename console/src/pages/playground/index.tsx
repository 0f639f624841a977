import { CodeOutlined, HistoryOutlined, PlusOutlined, SettingOutlined, ToolOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Badge, Button, Checkbox, Drawer, Modal, Select } from "antd";
import { type DragEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { Page } from "../../components/page";
import { Loaded, Nothing } from "../../components/states";
import { stored } from "../../stored";
import { draws, useBench } from "./bench";
import { Composer } from "./composer";
import { type DialectName, DIALECTS } from "./dialects";
import type { Dialect } from "./dialects/base";
import { type Media, NO_MEDIA, readMedia, type Refused } from "./media";
import { Pane } from "./pane";
import { NO_PARAMETERS, type Parameters } from "./parameters";
import { ParameterForm } from "./parameter-form";
import { Past } from "./past";
import { Program } from "./program";
import { ToolForm } from "./tool-form";
import { readTools } from "./tools";
import { told, type Turn, turn } from "./turn";

const definitions = stored<string>("tools", "", (value) => typeof value === "string");

/** Try any model that is served, or two of them side by side. */
export function Playground() {
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")) });
  const { t } = useTranslation();
  return (
    <Loaded query={models}>
      {({ data, presets }) => {
        const usable = data.filter(({ operations }) => operations.includes("generate") || operations.includes("draw"));
        return usable.length === 0 ? <Nothing text={t("playground.noModels")} /> : <Bench models={usable} presets={presets} />;
      }}
    </Loaded>
  );
}

function Bench({ models, presets }: { models: Schemas["ModelView"][]; presets: Schemas["SamplingView"][] }) {
  const { t } = useTranslation();
  const [dialect, setDialect] = useState<DialectName>("chat");
  const [parameters, setParameters] = useState<Parameters>(NO_PARAMETERS);
  const [toolText, setToolText] = useState(definitions.read);
  const [size, setSize] = useState<string | null>(null);
  const [media, setMedia] = useState<Media>(NO_MEDIA);
  const [refused, setRefused] = useState<Refused[]>([]);
  const [over, setOver] = useState(false);
  const [drawer, setDrawer] = useState<"parameters" | "tools" | "history" | "code" | null>(null);

  const spoken: Dialect = DIALECTS[dialect];
  const read = readTools(toolText);
  const tools = typeof read === "string" || !spoken.tools ? [] : read;
  const bench = useBench(models, { dialect, parameters, tools, size });
  const cards = models.filter(({ name }) => bench.panes.some(({ model }) => model === name));
  const efforts = [...new Set(cards.flatMap((card) => card.efforts))];
  const recommended = new Set(cards.flatMap((card) => card.presets));
  const sizes = [...new Set(cards.filter(({ name }) => draws(models, name)).flatMap((card) => card.sizes))];

  const add = async (files: Iterable<File>) => {
    const found = await readMedia(files);
    setMedia((before) => ({ images: [...before.images, ...found.media.images], videos: [...before.videos, ...found.media.videos] }));
    setRefused(found.refused);
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void add(event.dataTransfer.files);
  };
  const defineTools = (text: string) => {
    definitions.write(text);
    setToolText(text);
  };
  const close = () => setDrawer(null);

  return (
    <Page
      title={t("nav.playground")}
      about={t("playground.about")}
      actions={
        <>
          <Select<DialectName> aria-label={t("playground.dialect")} style={{ width: 190 }} value={dialect} onChange={setDialect} options={(Object.keys(DIALECTS) as DialectName[]).map((value) => ({ value, label: t(`dialects.${value}`) }))} />
          <Checkbox checked={bench.panes.length > 1} disabled={bench.running} onChange={(event) => bench.compare(event.target.checked)} style={{ alignSelf: "center" }}>
            {t("playground.compare")}
          </Checkbox>
          <Button icon={<PlusOutlined aria-hidden />} onClick={() => bench.begin()}>
            {t("playground.new")}
          </Button>
          <Button icon={<HistoryOutlined aria-hidden />} onClick={() => setDrawer("history")}>
            {t("playground.history")}
          </Button>
          <Button icon={<SettingOutlined aria-hidden />} onClick={() => setDrawer("parameters")}>
            {t("playground.parameters")}
          </Button>
          <Badge count={tools.length} size="small" color="blue">
            <Button icon={<ToolOutlined aria-hidden />} onClick={() => setDrawer("tools")}>
              {t("playground.tools")}
            </Button>
          </Badge>
          <Button icon={<CodeOutlined aria-hidden />} onClick={() => setDrawer("code")}>
            {t("playground.code")}
          </Button>
        </>
      }
    >
      <div
        className={over ? "bench over" : "bench"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={dropped}
      >
        <div className="panes">
          {bench.panes.map((pane, index) => (
            <Pane key={index === 0 ? "first" : "second"} models={models} pane={pane} choose={(model) => bench.choose(index, model)} giveResults={(results) => void bench.giveResults(index, results)} />
          ))}
        </div>
        {refused.length > 0 && <Alert type="warning" showIcon closable={{ onClose: () => setRefused([]) }} title={refused.map(({ name, reason }) => t(`playground.${reason}`, { name })).join(" ")} style={{ marginTop: 14 }} />}
        <Composer media={media} change={setMedia} add={(files) => void add(files)} running={bench.running} waiting={bench.waiting} send={(text, sent) => void bench.send(text, sent)} stop={bench.stop}>
          {sizes.length > 0 && (
            <Select allowClear aria-label={t("playground.size")} placeholder={t("playground.size")} style={{ width: 150 }} value={size} onChange={(chosen: string | undefined) => setSize(chosen ?? null)} options={sizes.map((value) => ({ value, label: value.replace("x", " × ") }))} />
          )}
        </Composer>
      </div>
      <Drawer open={drawer === "parameters"} onClose={close} title={t("playground.parameters")} size={440}>
        <ParameterForm value={parameters} change={setParameters} presets={presets.filter(({ name }) => recommended.has(name))} efforts={efforts} takes={spoken.takes} />
      </Drawer>
      <Drawer open={drawer === "tools"} onClose={close} title={t("playground.tools")} size={440}>
        <ToolForm value={toolText} change={defineTools} has={spoken.tools} />
      </Drawer>
      <Drawer open={drawer === "history"} onClose={close} title={t("playground.history")} size={440}>
        <Past
          kept={bench.kept}
          open={(kept) => {
            bench.begin(kept);
            close();
          }}
          forget={bench.forget}
          forgetAll={bench.forgetAll}
        />
      </Drawer>
      <Modal open={drawer === "code"} onCancel={close} footer={null} width={760} title={t("playground.code")} destroyOnHidden>
        <Program dialect={dialect} asked={{ model: bench.panes[0]?.model ?? "", turns: shown(bench.panes[0]?.turns ?? [], t("playground.question")), parameters, tools }} />
      </Modal>
    </Page>
  );
}

/** What the shown program asks: the conversation up to its last question, without the bytes of images and videos. */
function shown(turns: Turn[], question: string): Turn[] {
  const last = turns.findLastIndex(({ role }) => role !== "assistant");
  const asked = last < 0 ? [turn("user", { text: question })] : told(turns.slice(0, last + 1));
  return asked.map((one) => ({ ...one, images: one.images.map(() => "data:image/png;base64,..."), videos: one.videos.map(() => "data:video/mp4;base64,...") }));
}
