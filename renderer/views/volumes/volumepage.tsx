import { HardDrive } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { useApp } from "#renderer/appcontext.ts";
import { volumePlace } from "#renderer/core/containerfiles.ts";
import { exactTime, size } from "#renderer/core/format.ts";
import { t } from "#renderer/core/texts.ts";
import { volumeUsers } from "#renderer/core/volumes.ts";
import { useContainers, useVolume, useVolumeSizes } from "#renderer/queries.ts";
import { Files } from "#renderer/views/containers/files/filestab.tsx";
import { useForeign } from "#renderer/views/engines/useengines.ts";
import { LabelList, UserList } from "#renderer/views/objects/lists.tsx";
import { ObjectPage } from "#renderer/views/objects/objectpage.tsx";
import { DeleteVolumes } from "./deletevolumes.tsx";
import { SnapshotsTab } from "./snapshotstab.tsx";
import { VolumeActs } from "./volumeacts.tsx";

export function VolumePage({ name }: { readonly name: string }) {
  const query = useVolume(name);
  const foreign = useForeign();
  const [, go] = useLocation();
  const [deleting, setDeleting] = useState(false);
  const { engine } = useApp();
  const place = useMemo(() => volumePlace(engine, name), [engine, name]);
  const bytes = useVolumeSizes().get(name);
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
        [t.volumes.size, bytes === undefined || bytes < 0 ? "–" : size(bytes)],
        [t.volumes.usedBy, <UserList key="users" containers={containers} names={users} none={t.volumes.unused} />],
        [t.common.labels, <LabelList key="labels" labels={volume.Labels} />],
        [t.volumes.options, <LabelList key="options" labels={volume.Options} />],
      ]}
      actions={foreign ? null : <VolumeActs name={name} users={users} />}
      views={
        foreign
          ? []
          : [
              { id: "files", label: t.volumes.files, draw: () => <Files place={place} /> },
              { id: "snapshots", label: t.volumes.snapshots, draw: () => <SnapshotsTab name={name} /> },
            ]
      }
      onDelete={() => setDeleting(true)}
    >
      {deleting && <DeleteVolumes names={[name]} users={users} onClose={() => setDeleting(false)} onDeleted={() => go("/volumes")} />}
    </ObjectPage>
  );
}
