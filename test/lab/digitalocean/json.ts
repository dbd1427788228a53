import type {
  CloudAction,
  CloudDroplet,
  CloudKey,
  CloudReservedIp,
  CloudSnapshot,
  CloudVpc,
} from "./cloud-parts.js";

/** Parts of an account as the API shows them. */
export function dropletJson(droplet: CloudDroplet): object {
  const { id, name, size, region, image, tags, vpc, status, createdAt, host, hasAddress } = droplet;
  const v4 =
    host === undefined || !hasAddress
      ? []
      : ["public", "private"].map((type) => ({
          ...{ ip_address: host.address, netmask: "255.255.255.0", type },
          gateway: host.address.replace(/\d+$/, "1"),
        }));
  return {
    ...{ id, name, memory: size.memory, vcpus: size.vcpus, disk: size.disk, locked: false, status },
    ...{ kernel: null, created_at: createdAt, features: [], backup_ids: [], next_backup_window: null },
    ...{ snapshot_ids: [], image, volume_ids: [], size, size_slug: size.slug, networks: { v4, v6: [] } },
    ...{ region, tags, vpc_uuid: vpc },
  };
}

export function actionJson(action: CloudAction): object {
  const { id, status, type, startedAt, completedAt, resource, region } = action;
  return {
    ...{ id, status, type, started_at: startedAt, completed_at: completedAt ?? null },
    ...{ resource_id: resource.id, resource_type: resource.type, region, region_slug: region.slug },
  };
}

export function keyJson({ id, name, publicKey, fingerprint }: CloudKey): object {
  return { id, name, fingerprint, public_key: publicKey };
}

export function snapshotJson({ id, name, createdAt, droplet }: CloudSnapshot): object {
  return {
    ...{ id: String(id), name, created_at: createdAt, regions: [droplet.region.slug], tags: [] },
    ...{ resource_id: String(droplet.id), resource_type: "droplet" },
    ...{ min_disk_size: droplet.size.disk, size_gigabytes: 2.4 },
  };
}

export function reservedIpJson({ place, region, droplet }: CloudReservedIp): object {
  const holder = droplet === undefined ? null : dropletJson(droplet);
  return { ip: place.address, region, locked: false, droplet: holder };
}

export function vpcJson({ id, name, region, range, isDefault }: CloudVpc): object {
  return {
    ...{ id, name, region, ip_range: range, default: isDefault, urn: `do:vpc:${id}`, description: "" },
    created_at: "2026-01-01T00:00:00Z",
  };
}
