import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { UserChooser } from "../../components/choosers";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";

const ROLES = ["admin", "member"] as const;

type Membership = { user: string; role: Schemas["MemberView"]["role"] };

/** Who is in a team, and as what. */
export function Members({ team, manages }: { team: string; manages: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const key = ["members", team];
  const members = useQuery({ queryKey: key, queryFn: () => taken(api.GET("/admin/v1/teams/{team_id}/members", { params: { path: { team_id: team } } })) });
  const onSettled = () => queries.invalidateQueries({ queryKey: key });
  const pathOf = (user: string) => ({ path: { team_id: team, user_id: user } });
  const put = useMutation({ mutationFn: ({ user, role }: Membership) => taken(api.PUT("/admin/v1/teams/{team_id}/members/{user_id}", { params: pathOf(user), body: { role } })), onSettled });
  const remove = useMutation({ mutationFn: (user: string) => taken(api.DELETE("/admin/v1/teams/{team_id}/members/{user_id}", { params: pathOf(user) })), onSettled });
  const error = put.error ?? remove.error;
  return (
    <>
      {manages && <UserChooser label={t("team.addMember")} placeholder={t("team.addMember")} value={null} style={{ width: "100%", marginBottom: 12 }} onChange={(user) => user !== null && put.mutate({ user, role: "member" })} />}
      <Problem error={error} style={{ marginBottom: 12 }} />
      <Loaded query={members}>
        {({ data }) =>
          data.length === 0 ? (
            <Nothing text={t("team.noMembers")} />
          ) : (
            <ul className="rows">
              {data.map(({ user_id: user, name, email, role }) => (
                <li key={user}>
                  <span>
                    <strong>{name}</strong>
                    <span className="soft small"> {email}</span>
                  </span>
                  <span>
                    <Select size="small" style={{ width: 110 }} aria-label={t("team.roleOf", { name })} value={role} disabled={!manages} onChange={(chosen) => put.mutate({ user, role: chosen })} options={ROLES.map((value) => ({ value, label: t(`roles.${value}`) }))} />
                    {manages && (
                      <Button size="small" danger type="text" aria-label={t("team.removeMember", { name })} onClick={() => remove.mutate(user)}>
                        {t("team.remove")}
                      </Button>
                    )}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </>
  );
}
