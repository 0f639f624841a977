import { DownloadOutlined, UploadOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Descriptions, Drawer, Input, Modal, Popconfirm, Progress, Select, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Schemas, taken } from "../../api/client";
import { can, useUser } from "../../api/session";
import { Copy } from "../../components/copy";
import { More } from "../../components/more";
import { OwnerName } from "../../components/owner";
import { Page } from "../../components/page";
import { Problem } from "../../components/problem";
import { Loaded, Nothing } from "../../components/states";
import { useFormat } from "../../format";
import { Uploader, useRoom } from "./uploader";

type File = Schemas["FileView"];

const FULL = 0.9;
const SHOWN_IMAGES = ["image/png", "image/jpeg", "image/webp", "image/gif"]; // as the server found out, whatever its sender said

/** Files: one's own, and those that one looks after. */
export function Files() {
  const { t } = useTranslation();
  const me = useUser();
  const [search, setSearch] = useState("");
  const [purpose, setPurpose] = useState<string | null>(null);
  const [mine, setMine] = useState(false);
  const [uploading, setUploading] = useState(false);
  const [opened, setOpened] = useState<File | null>(null);
  const room = useRoom();
  const wanted = { ...(search && { search }), ...(purpose && { purpose }), ...(mine && { owner: me.id }) };
  const files = useInfiniteQuery({
    queryKey: ["files", wanted],
    queryFn: ({ pageParam }) => taken(api.GET("/admin/v1/files", { params: { query: { ...wanted, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });
  const holds = can.hold(me.role);
  return (
    <Page
      title={t("nav.files")}
      about={t("files.about")}
      actions={
        holds && (
          <Button type="primary" icon={<UploadOutlined aria-hidden />} onClick={() => setUploading(true)}>
            {t("files.upload")}
          </Button>
        )
      }
    >
      {holds && room.data && <Room room={room.data} />}
      <div className="filters">
        <Input.Search allowClear placeholder={t("files.search")} aria-label={t("files.search")} onSearch={setSearch} style={{ width: 240 }} />
        <Select
          allowClear
          aria-label={t("files.purpose")}
          placeholder={t("files.anyPurpose")}
          style={{ width: 200 }}
          value={purpose}
          onChange={(value) => setPurpose(value ?? null)}
          options={room.data?.purposes.map(({ name }) => ({ value: name, label: name })) ?? []}
        />
        <Select
          aria-label={t("files.whose")}
          style={{ width: 150 }}
          value={mine}
          onChange={setMine}
          options={[
            { value: false, label: t("files.everybody") },
            { value: true, label: t("files.mine") },
          ]}
        />
      </div>
      <Loaded query={files}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.data);
          if (rows.length === 0) return <Nothing text={Object.keys(wanted).length > 0 ? t("files.noneFound") : t("files.none")} />;
          return (
            <>
              <FileTable files={rows} open={setOpened} holds={holds} />
              <More pages={files} />
            </>
          );
        }}
      </Loaded>
      <Modal open={uploading} onCancel={() => setUploading(false)} width={640} title={t("files.upload")} footer={<Button onClick={() => setUploading(false)}>{t("actions.done")}</Button>} destroyOnHidden>
        {room.data && <Uploader room={room.data} />}
      </Modal>
      <Drawer open={opened !== null} onClose={() => setOpened(null)} size={620} title={t("files.details")} destroyOnHidden>
        {opened !== null && <Detail file={opened} holds={holds} />}
      </Drawer>
    </Page>
  );
}

function Room({ room }: { room: Schemas["FileRoom"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const share = Math.max(room.used_bytes / room.max_bytes, room.used_files / room.max_files);
  return (
    <section className="tile room" aria-label={t("files.room")}>
      <div className="heading-row">
        <strong>{t("files.room")}</strong>
        <span>
          {t("files.roomOf", { used: format.bytes(room.used_bytes), most: format.bytes(room.max_bytes) })}
          <span className="soft"> · {t("files.roomFiles", { used: format.integer(room.used_files), most: format.integer(room.max_files) })}</span>
        </span>
      </div>
      <Progress percent={Math.round(share * 1000) / 10} status={share >= FULL ? "exception" : "normal"} showInfo={false} aria-label={t("files.room")} />
    </section>
  );
}

function FileTable({ files, open, holds }: { files: File[]; open: (file: File) => void; holds: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: string) => taken(api.DELETE("/admin/v1/files/{file_id}", { params: { path: { file_id: id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["files"] }),
  });
  return (
    <>
      <Problem error={remove.error} style={{ marginBottom: 12 }} />
      <Table<File>
        size="middle"
        rowKey="id"
        dataSource={files}
        pagination={false}
        scroll={{ x: 1040 }}
        columns={[
          {
            title: t("files.name"),
            render: (_, file) => (
              <>
                <Button type="link" size="small" className="name-link" onClick={() => open(file)}>
                  {file.name}
                </Button>
                <div className="mono soft">{file.media_type}</div>
              </>
            ),
          },
          { title: t("files.owner"), width: 140, render: (_, { owner }) => <OwnerName owner={owner} /> },
          { title: t("files.purpose"), width: 190, render: (_, file) => <Tag>{file.purpose}</Tag> },
          { title: t("files.size"), width: 95, align: "right", render: (_, file) => format.bytes(file.size) },
          { title: t("files.made"), width: 130, render: (_, file) => format.instant(file.created_at) },
          { title: t("files.expires"), width: 130, render: (_, file) => (file.expires_at === null ? t("files.never") : format.instant(file.expires_at)) },
          {
            title: t("actions.title"),
            width: 95,
            render: (_, file) =>
              holds && (
                <Popconfirm
                  title={t("files.deleteSure", { name: file.name })}
                  description={t("files.deleteAbout")}
                  okText={t("actions.delete")}
                  cancelText={t("actions.cancel")}
                  okButtonProps={{ danger: true }}
                  onConfirm={() => remove.mutateAsync(file.id).catch(() => undefined)}
                >
                  <Button size="small" danger type="text" aria-label={t("actions.deleteNamed", { name: file.name })}>
                    {t("actions.delete")}
                  </Button>
                </Popconfirm>
              ),
          },
        ]}
      />
    </>
  );
}

function Detail({ file, holds }: { file: File; holds: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const link = useQuery({
    queryKey: ["file link", file.id],
    queryFn: () => taken(api.POST("/admin/v1/files/{file_id}/link", { params: { path: { file_id: file.id } } })),
    enabled: holds,
    staleTime: Infinity,
  });
  const address = link.data && new URL(link.data.url, window.location.origin).href;
  return (
    <>
      {holds && (
        <Loaded query={link}>
          {({ url, expires_at }) => (
            <>
              {SHOWN_IMAGES.includes(file.media_type) && url.startsWith("/") && <img className="preview" src={url} alt={t("files.preview", { name: file.name })} />}
              <div className="filters">
                <Button type="primary" icon={<DownloadOutlined aria-hidden />} href={url} download={file.name}>
                  {t("files.download")}
                </Button>
                {address && <Copy text={address} label={t("files.copyLink")} />}
              </div>
              <p className="soft">{t("files.linkAbout", { time: format.instant(expires_at) })}</p>
            </>
          )}
        </Loaded>
      )}
      <Descriptions
        size="small"
        bordered
        column={1}
        items={[
          { key: "name", label: t("files.name"), children: <span className="name">{file.name}</span> },
          { key: "id", label: t("files.id"), children: <span className="mono">{file.id}</span> },
          { key: "owner", label: t("files.owner"), children: <OwnerName owner={file.owner} /> },
          { key: "purpose", label: t("files.purpose"), children: file.purpose },
          { key: "status", label: t("files.status"), children: t(`files.${file.status}`) },
          { key: "type", label: t("files.type"), children: <span className="mono">{file.media_type}</span> },
          { key: "size", label: t("files.size"), children: format.bytes(file.size) },
          { key: "made", label: t("files.made"), children: format.instant(file.created_at) },
          { key: "expires", label: t("files.expires"), children: file.expires_at === null ? t("files.never") : format.instant(file.expires_at) },
        ]}
      />
    </>
  );
}
