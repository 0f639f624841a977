import { CodeOutlined, DeleteOutlined, HistoryOutlined, PlusOutlined, SettingOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Checkbox, Drawer, Modal, Segmented, Tabs } from "antd";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { CodeBlock } from "../../components/copy";
import { Page } from "../../components/page";
import { Loaded, Nothing, useMessage } from "../../components/states";
import { useFormat } from "../../format";
import { ask } from "./ask";
import { code, LANGUAGES } from "./code";
import { Composer } from "./composer";
import { DIALECTS, type DialectName } from "./dialects";
import { draw } from "./drawing";
import { history, type Kept } from "./history";
import { Pane } from "./pane";
import { ParameterForm } from "./parameters";
import { NO_PARAMETERS, type Parameters, type Turn, turn } from "./turn";

type Conversation = { model: string; turns: Turn[] };

/** Try any model that is served, or two of them side by side. */
export function Playground() {
  const models = useQuery({ queryKey: ["models"], queryFn: () => taken(api.GET("/admin/v1/models")) });
  const { t } = useTranslation();
  return (
    <Loaded query={models}>
      {({ data }) => {
        const usable = data.filter(({ operations }) => operations.includes("generate") || operations.includes("draw"));
        return usable.length === 0 ? <Nothing text={t("playground.noModels")} /> : <Bench models={usable} />;
      }}
    </Loaded>
  );
}

function Bench({ models }: { models: Schemas["ModelView"][] }) {
  const { t } = useTranslation();
  const message = useMessage();
  const [panes, setPanes] = useState<Conversation[]>(() => [{ model: first(models), turns: [] }]);
  const [dialect, setDialect] = useState<DialectName>("chat");
  const [parameters, setParameters] = useState<Parameters>(NO_PARAMETERS);
  const [running, setRunning] = useState(false);
  const [drawer, setDrawer] = useState<"parameters" | "history" | "code" | null>(null);
  const [kept, setKept] = useState(history.read);
  const stopper = useRef<AbortController | null>(null);
  const conversation = useRef(newId());

  const changePane = (index: number, change: (pane: Conversation) => Conversation) => setPanes((before) => before.map((pane, other) => (other === index ? change(pane) : pane)));

  const answer = async (index: number, { model, turns }: Conversation, signal: AbortSignal): Promise<Conversation> => {
    let reply = turn("assistant", { model });
    const show = () => changePane(index, () => ({ model, turns: [...turns, reply] }));
    const tell = (change: (answer: Turn) => Turn) => {
      reply = change(reply);
      show();
    };
    show();
    const card = models.find(({ name }) => name === model);
    try {
      const drawn = card !== undefined && !card.operations.includes("generate");
      await (drawn ? draw(model, turns.at(-1)?.text ?? "", signal, tell) : ask(dialect, model, turns.filter(({ error }) => error === null), parameters, signal, tell));
    } catch (error) {
      if (!signal.aborted) tell((before) => ({ ...before, error: message(error) }));
    }
    return { model, turns: [...turns, reply] };
  };

  const send = async (text: string, images: string[]) => {
    const asked = panes.map((pane) => ({ ...pane, turns: [...pane.turns, turn("user", { text, images })] }));
    setPanes(asked);
    setRunning(true);
    stopper.current = new AbortController();
    const { signal } = stopper.current;
    const done = await Promise.all(asked.map((pane, index) => answer(index, pane, signal)));
    setRunning(false);
    setKept(history.keep({ id: conversation.current, title: asked[0]?.turns[0]?.text.slice(0, 80) ?? "", time: Date.now() / 1000, panes: done }));
  };

  const begin = (from?: Kept) => {
    stopper.current?.abort();
    conversation.current = from?.id ?? newId();
    const known = new Set(models.map(({ name }) => name));
    setPanes((before) => from?.panes.map((pane) => ({ ...pane, model: known.has(pane.model) ? pane.model : first(models) })) ?? before.map((pane) => ({ ...pane, turns: [] })));
    setDrawer(null);
  };

  const compare = (two: boolean) => setPanes((before) => (two ? [...before, { model: models.find(({ name }) => name !== before[0]?.model)?.name ?? first(models), turns: [] }] : before.slice(0, 1)));
  const efforts = [...new Set(panes.flatMap((pane) => models.find(({ name }) => name === pane.model)?.efforts ?? []))];

  return (
    <Page
      title={t("nav.playground")}
      about={t("playground.about")}
      actions={
        <>
          <Segmented<DialectName> aria-label={t("playground.dialect")} value={dialect} onChange={setDialect} options={(Object.keys(DIALECTS) as DialectName[]).map((value) => ({ value, label: t(`dialects.${value}`) }))} />
          <Checkbox checked={panes.length > 1} disabled={running} onChange={(event) => compare(event.target.checked)} style={{ alignSelf: "center" }}>
            {t("playground.compare")}
          </Checkbox>
          <Button icon={<PlusOutlined aria-hidden />} onClick={() => begin()}>
            {t("playground.new")}
          </Button>
          <Button icon={<HistoryOutlined aria-hidden />} onClick={() => setDrawer("history")}>
            {t("playground.history")}
          </Button>
          <Button icon={<SettingOutlined aria-hidden />} onClick={() => setDrawer("parameters")}>
            {t("playground.parameters")}
          </Button>
          <Button icon={<CodeOutlined aria-hidden />} onClick={() => setDrawer("code")}>
            {t("playground.code")}
          </Button>
        </>
      }
    >
      <div className="panes">
        {panes.map((pane, index) => (
          <Pane key={index === 0 ? "first" : "second"} models={models} model={pane.model} choose={(model) => changePane(index, (before) => ({ ...before, model }))} turns={pane.turns} running={running} />
        ))}
      </div>
      <Composer running={running} send={(text, images) => void send(text, images)} stop={() => stopper.current?.abort()} />
      <Drawer open={drawer === "parameters"} onClose={() => setDrawer(null)} title={t("playground.parameters")} size={420}>
        <ParameterForm value={parameters} change={setParameters} efforts={efforts} />
      </Drawer>
      <Drawer open={drawer === "history"} onClose={() => setDrawer(null)} title={t("playground.history")} size={420}>
        <p className="soft">{t("playground.historyAbout")}</p>
        <Past kept={kept} open={begin} forget={(id) => setKept(history.forget(id))} />
      </Drawer>
      <Modal open={drawer === "code"} onCancel={() => setDrawer(null)} footer={null} width={760} title={t("playground.code")}>
        <p className="soft">{t("playground.codeAbout")}</p>
        <Tabs
          items={LANGUAGES.map((language) => ({
            key: language,
            label: t(`languages.${language}`),
            children: <CodeBlock label={t(`languages.${language}`)} text={code(language, dialect, panes[0]?.model ?? "", shownTurns(panes[0]?.turns ?? [], t("playground.example")), parameters)} />,
          }))}
        />
      </Modal>
    </Page>
  );
}

function Past({ kept, open, forget }: { kept: Kept[]; open: (kept: Kept) => void; forget: (id: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (kept.length === 0) return <Nothing text={t("playground.noHistory")} />;
  return (
    <ul className="rows">
      {kept.map((one) => (
        <li key={one.id}>
          <Button type="link" style={{ padding: 0, maxWidth: 280, overflow: "hidden" }} onClick={() => open(one)}>
            {one.title || t("playground.image", { number: 1 })}
          </Button>
          <span className="soft">{format.instant(one.time)}</span>
          <Button size="small" type="text" icon={<DeleteOutlined aria-hidden />} aria-label={t("actions.deleteNamed", { name: one.title })} onClick={() => forget(one.id)} />
        </li>
      ))}
    </ul>
  );
}

/** What the shown program asks: the conversation up to its last question, without the images' bytes. */
function shownTurns(turns: Turn[], example: string): Turn[] {
  const last = turns.findLastIndex(({ role }) => role === "user");
  const asked = last < 0 ? [turn("user", { text: example })] : turns.slice(0, last + 1);
  return asked.map((one) => ({ ...one, images: one.images.map(() => "data:image/png;base64,...") }));
}

function first(models: Schemas["ModelView"][]): string {
  return (models.find(({ operations }) => operations.includes("generate")) ?? models[0])?.name ?? "";
}

function newId(): string {
  return crypto.getRandomValues(new Uint32Array(2)).join("-");
}
