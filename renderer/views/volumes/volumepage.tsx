import { HardDrive } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { exactTime } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { volumeUsers } from "#renderer/core/volumes.ts";
import { useContainers, useVolume } from "#renderer/queries.ts";
import { LabelList, UserList } from "#renderer/views/objects/lists.tsx";
import { ObjectPage } from "#renderer/views/objects/objectpage.tsx";
import { DeleteVolumes } from "./deletevolumes.tsx";

export function VolumePage({ name }: { readonly name: string }) {
  const query = useVolume(name);
  const [, go] = useLocation();
  const [deleting, setDeleting] = useState(false);
  const containers = useContainers().data ?? [];
  const users = volumeUsers(containers, name);
  return (
    <ObjectPage
      title={name}
      icon={HardDrive}
      listPath="/volumes"
      query={query}
      facts={(volume) => [
        [t.common.driver, volume.Driver],
        [t.common.created, exactTime(Date.parse(volume.CreatedAt) / 1000)],
        [
          t.volumes.mountpoint,
          <code key="mount" className="font-mono text-sm">
            {volume.Mountpoint}
          </code>,
        ],
        [t.volumes.usedBy, <UserList key="users" containers={containers} names={users} none={t.volumes.unused} />],
        [t.common.labels, <LabelList key="labels" labels={volume.Labels} />],
        [t.volumes.options, <LabelList key="options" labels={volume.Options} />],
      ]}
      onDelete={() => setDeleting(true)}
    >
      {deleting && <DeleteVolumes names={[name]} users={users} onClose={() => setDeleting(false)} onDeleted={() => go("/volumes")} />}
    </ObjectPage>
  );
}
