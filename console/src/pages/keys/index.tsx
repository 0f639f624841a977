import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Alert, Button, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { TeamChooser, UserChooser } from "../../components/choosers";
import { CodeBlock } from "../../components/copy";
import { More } from "../../components/more";
import { Page } from "../../components/page";
import { Loaded, Nothing } from "../../components/states";
import { type Made, Maker } from "./maker";
import { KeyTable } from "./table";

type Filter = { search: string; user: string | null; team: string | null };

const ALL: Filter = { search: "", user: null, team: null };

/** API keys and access keys. */
export function Keys() {
  const { t } = useTranslation();
  const { role } = useUser();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const [filter, setFilter] = useState(ALL);
  const { search, user, team } = filter;
  const keys = useInfiniteQuery({
    queryKey: ["keys", filter],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/keys", { params: { query: { ...(search && { search }), ...(user && { user }), ...(team && { team }), ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const holds = can.hold(role);
  const filtered = Object.values(filter).some(Boolean);
  return (
    <Page
      title={t("nav.keys")}
      about={t("keys.about")}
      actions={
        holds && (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setMaking(true)}>
            {t("keys.create")}
          </Button>
        )
      }
    >
      <div className="filters">
        <Input.Search allowClear placeholder={t("keys.search")} aria-label={t("keys.search")} onSearch={(text) => setFilter({ ...filter, search: text })} style={{ width: 220 }} />
        {can.read(role) && <UserChooser label={t("keys.ofUser")} placeholder={t("keys.ofUser")} value={user} onChange={(id) => setFilter({ ...filter, user: id })} style={{ width: 220 }} />}
        <TeamChooser label={t("keys.ofTeam")} placeholder={t("keys.ofTeam")} value={team} onChange={(id) => setFilter({ ...filter, team: id })} style={{ width: 180 }} />
      </div>
      <Loaded query={keys}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          if (rows.length === 0) return <Nothing text={filtered ? t("keys.noneFound") : t("keys.none")} />;
          return (
            <>
              <KeyTable keys={rows} holds={holds} />
              <More pages={keys} />
            </>
          );
        }}
      </Loaded>
      <Maker open={making} close={() => setMaking(false)} show={setMade} />
      <Modal destroyOnHidden open={made !== null} onCancel={() => setMade(null)} title={t("keys.made")} footer={<Button onClick={() => setMade(null)}>{t("actions.done")}</Button>}>
        <Alert type="warning" showIcon title={t("keys.shownOnce")} style={{ marginBottom: 12 }} />
        {made?.map(({ name, value }) => (
          <div key={name}>
            <strong>{name}</strong>
            <CodeBlock text={value} label={name} />
          </div>
        ))}
      </Modal>
    </Page>
  );
}
