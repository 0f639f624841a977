import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Modal } from "antd";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { useUser } from "../../api/session";
import { More } from "../../components/more";
import { Problem } from "../../components/problem";
import { Loaded } from "../../components/states";
import { useFormat } from "../../format";
import { Uploader, useRoom } from "../files/uploader";

const SCHEME = "KNOWLEDGE_BASE_1";
const DOCUMENTS = [SCHEME, "assistants", "user_data"]; // what files are for that may be documents

/** Puts files into a knowledge base: new ones where it is one's own, and those of its owner that are there. */
export function Adder({ base, open, close }: { base: Schemas["BaseView"]; open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const me = useUser();
  const room = useRoom();
  const attach = useMutation({
    mutationFn: (file_id: string) => taken(api.POST("/admin/v1/knowledge-bases/{base_id}/files", { params: { path: { base_id: base.id } }, body: { file_id } })),
    onSuccess: (changed) => {
      queries.setQueryData(["base", base.id], changed);
      return queries.invalidateQueries({ queryKey: ["bases"] });
    },
  });
  const { mutate } = attach;
  const arrived = useCallback((id: string) => mutate(id), [mutate]);
  return (
    <Modal open={open} onCancel={close} width={640} title={t("knowledge.addFiles")} footer={<Button onClick={close}>{t("actions.done")}</Button>} destroyOnHidden>
      <Problem error={attach.error} style={{ marginBottom: 12 }} />
      {room.data && base.owner.id === me.id && <Uploader room={room.data} only={SCHEME} arrived={arrived} />}
      <Present base={base} add={mutate} />
    </Modal>
  );
}

function Present({ base, add }: { base: Schemas["BaseView"]; add: (id: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const files = useInfiniteQuery({
    queryKey: ["files", { owner: base.owner.id }],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/files", { params: { query: { owner: base.owner.id, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const there = new Set(base.documents.map(({ file_id }) => file_id));
  return (
    <Loaded query={files}>
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.data).filter(({ id, purpose }) => DOCUMENTS.includes(purpose) && !there.has(id));
        if (rows.length === 0) return null;
        return (
          <>
            <h3>{t("knowledge.fromThere")}</h3>
            <ul className="rows">
              {rows.map((file) => (
                <li key={file.id}>
                  <span className="name">
                    {file.name} <span className="soft">{format.bytes(file.size)}</span>
                  </span>
                  <Button size="small" onClick={() => add(file.id)}>
                    {t("knowledge.add")}
                  </Button>
                </li>
              ))}
            </ul>
            <More pages={files} />
          </>
        );
      }}
    </Loaded>
  );
}
