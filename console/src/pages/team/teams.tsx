import { PlusOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Drawer, Form, Input, Modal, Popconfirm, Table, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { useTeams } from "../../api/people";
import { PlanChooser } from "../../components/choosers";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";
import { Members } from "./members";

type TeamView = Schemas["TeamView"];

/** Teams: people whose keys count together. */
export function Teams({ manages }: { manages: boolean }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const teams = useTeams();
  return (
    <>
      <div className="filters spread">
        <span className="soft">{t("team.teamsAbout")}</span>
        {manages && (
          <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setAdding(true)}>
            {t("team.addTeam")}
          </Button>
        )}
      </div>
      <Loaded query={teams}>{({ data }) => (data.length === 0 ? <Nothing text={t("team.noTeams")} /> : <TeamTable teams={data} manages={manages} />)}</Loaded>
      <Adder open={adding} close={() => setAdding(false)} />
    </>
  );
}

function TeamTable({ teams, manages }: { teams: TeamView[]; manages: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const [shown, setShown] = useState<TeamView | null>(null);
  const onSettled = () => queries.invalidateQueries({ queryKey: ["teams"] });
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Partial<Schemas["ChangedTeam"]>) => taken(api.PATCH("/admin/v1/teams/{team_id}", { params: { path: { team_id: id } }, body: body as Schemas["ChangedTeam"] })),
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => taken(api.DELETE("/admin/v1/teams/{team_id}", { params: { path: { team_id: id } } })), onSettled });
  const error = change.error ?? remove.error;
  return (
    <>
      <Problem error={error} style={{ marginBottom: 12 }} />
      <Table<TeamView>
        size="middle"
        rowKey="id"
        dataSource={teams}
        pagination={false}
        scroll={{ x: 720 }}
        columns={[
          {
            title: t("entrance.name"),
            render: (_, team) => (
              <Typography.Text strong {...(manages && { editable: { onChange: (name: string) => name !== team.name && change.mutate({ id: team.id, name }), tooltip: t("team.rename") } })}>
                {team.name}
              </Typography.Text>
            ),
          },
          {
            title: t("keys.plan"),
            render: (_, team) => <PlanChooser label={t("team.planOf", { name: team.name })} style={{ width: 200 }} value={team.plan} disabled={!manages} onChange={(plan) => change.mutate({ id: team.id, plan })} />,
          },
          { title: t("team.madeAt"), render: (_, team) => format.instant(team.created_at) },
          {
            title: t("actions.title"),
            render: (_, team) => (
              <>
                <Button size="small" type="text" aria-label={t("team.membersOf", { name: team.name })} onClick={() => setShown(team)}>
                  {t("team.members")}
                </Button>
                {manages && (
                  <Popconfirm title={t("team.deleteSure", { name: team.name })} okText={t("actions.delete")} cancelText={t("actions.cancel")} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate(team.id)}>
                    <Button size="small" danger type="text" aria-label={t("actions.deleteNamed", { name: team.name })}>
                      {t("actions.delete")}
                    </Button>
                  </Popconfirm>
                )}
              </>
            ),
          },
        ]}
      />
      <Drawer open={shown !== null} onClose={() => setShown(null)} title={t("team.membersOf", { name: shown?.name })} size={480} destroyOnHidden>
        {shown && <Members team={shown.id} manages={manages} />}
      </Drawer>
    </>
  );
}

function Adder({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [form] = Form.useForm<Schemas["NewTeam"]>();
  const add = useMutation({
    mutationFn: (wish: Schemas["NewTeam"]) => taken(api.POST("/admin/v1/teams", { body: wish })),
    onSuccess: () => {
      form.resetFields();
      close();
      return queries.invalidateQueries({ queryKey: ["teams"] });
    },
  });
  return (
    <Modal open={open} onCancel={close} title={t("team.addTeam")} okText={t("team.addTeam")} cancelText={t("actions.cancel")} onOk={() => form.submit()} confirmLoading={add.isPending} destroyOnHidden>
      <Form<Schemas["NewTeam"]> form={form} layout="vertical" onFinish={add.mutate} requiredMark={false}>
        <Form.Item name="name" label={t("entrance.name")} rules={[{ required: true }]}>
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="plan" label={t("keys.plan")} extra={t("team.planAbout")}>
          <PlanChooser />
        </Form.Item>
        <Problem error={add.error} />
      </Form>
    </Modal>
  );
}
