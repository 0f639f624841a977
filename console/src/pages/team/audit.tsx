import { SafetyCertificateOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Alert, Button, Input, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { UserChooser } from "../../components/choosers";
import { More } from "../../components/more";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";

const ALL = { actor: "", action: "", target: "" };

/** Who did what, and whether nobody has touched the record of it. */
export function Audit() {
  const { t } = useTranslation();
  const [filter, setFilter] = useState(ALL);
  const said = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
  const audit = useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/audit", { params: { query: { ...said, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
  });
  const field = (name: keyof typeof ALL, label: string) => <Input.Search allowClear placeholder={label} aria-label={label} style={{ width: 220 }} onSearch={(text) => setFilter({ ...filter, [name]: text.trim() })} />;
  return (
    <>
      <div className="filters spread">
        <div className="filters" style={{ margin: 0 }}>
          <UserChooser label={t("team.who")} placeholder={t("team.who")} style={{ width: 220 }} value={filter.actor || null} onChange={(actor) => setFilter({ ...filter, actor: actor ?? "" })} />
          {field("action", t("team.actionSuch"))}
          {field("target", t("team.targetId"))}
        </div>
        <Verification />
      </div>
      <Loaded query={audit}>{({ pages }) => <Acts acts={pages.flatMap((page) => page.data)} />}</Loaded>
      <More pages={audit} />
    </>
  );
}

function Verification() {
  const { t } = useTranslation();
  const verify = useMutation({ mutationFn: () => taken(api.GET("/admin/v1/audit/verify")) });
  const problems = verify.data?.problems ?? [];
  return (
    <>
      <Button icon={<SafetyCertificateOutlined aria-hidden />} loading={verify.isPending} onClick={() => verify.mutate()}>
        {t("team.verify")}
      </Button>
      <Problem error={verify.error} className="whole" />
      {verify.data && (
        <Alert
          className="whole"
          showIcon
          type={problems.length === 0 ? "success" : "error"}
          title={problems.length === 0 ? t("team.whole", { count: verify.data.rows }) : t("team.tampered", { count: problems.length })}
          description={
            problems.length > 0 && (
              <ul>
                {problems.map(({ sequence, message: text }) => (
                  <li key={`${sequence} ${text}`}>{text}</li>
                ))}
              </ul>
            )
          }
        />
      )}
    </>
  );
}

function Acts({ acts }: { acts: Schemas["AuditView"][] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (acts.length === 0) return <Nothing text={t("team.noActs")} />;
  return (
    <Table<Schemas["AuditView"]>
      size="small"
      rowKey="sequence"
      dataSource={acts}
      pagination={false}
      scroll={{ x: 800 }}
      columns={[
        { title: t("requests.time"), render: (_, act) => format.instant(act.time) },
        { title: t("team.who"), render: (_, act) => act.actor_name || act.actor },
        { title: t("team.what"), render: (_, act) => <span className="mono">{act.action}</span> },
        { title: t("team.target"), render: (_, act) => <span className="mono">{act.target}</span> },
        { title: t("team.from"), dataIndex: "address" },
      ]}
    />
  );
}
