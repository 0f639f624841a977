import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Badge, Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { More } from "../../components/more";
import { OwnerName } from "../../components/owner";
import { Page } from "../../components/page";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { PAGES } from "../../pages";
import { usePlace } from "../../place";
import { Base } from "./base";

const LONGEST = 256; // characters of a description
const LOOK_AGAIN_MS = 2000;

/** Knowledge bases: a list, and the one that is looked at. */
export function Knowledge() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [query, change] = usePlace();
  const [making, setMaking] = useState(false);
  const shown = query.get(PAGES.knowledge.opens);
  const show = (id?: string) => change(PAGES.knowledge.opens, id);
  const bases = useInfiniteQuery({
    queryKey: ["bases"],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/knowledge-bases", { params: { query: pageParam ? { after: pageParam } : {} } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    refetchInterval: ({ state }) => (state.data?.pages.some(({ data }) => data.some(({ waiting }) => waiting > 0)) ? LOOK_AGAIN_MS : false),
  });
  const holds = can.hold(role);
  const make = holds && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setMaking(true)}>
      {t("knowledge.make")}
    </Button>
  );
  return (
    <Page title={t("nav.knowledge")} about={t("knowledge.about")} actions={make}>
      <Loaded query={bases}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          if (rows.length === 0) return <Nothing text={t("knowledge.none")} />;
          return (
            <div className="split">
              <div>
                <ul className="choices">
                  {rows.map((base) => (
                    <li key={base.id}>
                      <Choice base={base} chosen={base.id === shown} choose={() => show(base.id)} />
                    </li>
                  ))}
                </ul>
                <More pages={bases} />
              </div>
              {shown === null ? <Nothing text={t("knowledge.choose")} /> : <Base key={shown} id={shown} holds={holds} gone={() => show()} />}
            </div>
          );
        }}
      </Loaded>
      <Maker open={making} close={() => setMaking(false)} show={show} />
    </Page>
  );
}

function Choice({ base, chosen, choose }: { base: Schemas["BaseSummary"]; chosen: boolean; choose: () => void }) {
  const { t } = useTranslation();
  const { waiting, valid, invalid } = base;
  return (
    <button type="button" className="choice" aria-current={chosen} onClick={choose}>
      {base.description || <span className="soft">{t("knowledge.unnamed")}</span>}
      <small>
        <OwnerName owner={base.owner} /> · {t("knowledge.filesOf", { count: waiting + valid + invalid })}
      </small>
      {waiting > 0 && <Badge status="processing" text={t("knowledge.reading", { count: waiting })} />}{" "}
      {invalid > 0 && <Badge status="error" text={t("knowledge.broken", { count: invalid })} />}
    </button>
  );
}

function Maker({ open, close, show }: { open: boolean; close: () => void; show: (id: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<{ description: string }>();
  const make = useMutation({
    mutationFn: ({ description }: { description: string }) => taken(api.POST("/admin/v1/knowledge-bases", { body: { description, files: [] } })),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["bases"] });
      form.resetFields();
      close();
      show(made.id);
    },
  });
  return (
    <Modal open={open} onCancel={close} title={t("knowledge.make")} okText={t("knowledge.make")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={make.isPending} destroyOnHidden>
      <Form form={form} layout="vertical" onFinish={make.mutate} requiredMark={false}>
        <Form.Item name="description" label={t("knowledge.description")} rules={[{ required: true, max: LONGEST }]}>
          <Input autoComplete="off" />
        </Form.Item>
        <Problem error={make.error} />
      </Form>
    </Modal>
  );
}
