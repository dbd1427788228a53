import { z } from "zod";
import type { CloudAction, DropletOrder } from "./cloud-parts.js";
import type { Cloud } from "./cloud.js";
import type { ApiCall } from "./api-call.js";
import { images, regions, sizes } from "./offers.js";
import { notFound, page, unprocessable, type Reply } from "./reply.js";
import { actionJson, dropletJson } from "./json.js";

const MOST_USER_DATA_BYTES = 65_536;
const newDroplet = z.object({
  name: z.string(),
  size: z.string(),
  image: z.union([z.string(), z.number()]),
  region: z.string().default("nyc3"),
  ssh_keys: z.array(z.union([z.string(), z.number()])).default([]),
  tags: z.array(z.string()).default([]),
  user_data: z.string().default(""),
  vpc_uuid: z.string().optional(),
});
const dropletAction = z.object({ type: z.string(), name: z.string().default("") });

export const dropletRoutes = {
  "GET /v2/droplets": (call: ApiCall, cloud: Cloud): Reply => {
    const { tag_name, name } = call.query;
    const found = [...cloud.droplets.values()].filter(
      (droplet) =>
        (tag_name === undefined || droplet.tags.includes(tag_name)) &&
        (name ?? droplet.name) === droplet.name,
    );
    return page(call, "droplets", found.map(dropletJson));
  },
  "POST /v2/droplets": (call: ApiCall, cloud: Cloud): Reply => {
    const order = orderOf(newDroplet.parse(call.body), cloud);
    if (typeof order === "string") return unprocessable(order);
    const { droplet, action } = cloud.createDroplet(order);
    const href = `${call.origin}/v2/actions/${action.id}`;
    const links = { actions: [{ id: action.id, rel: "create", href }] };
    return { status: 202, body: { droplet: dropletJson(droplet), links } };
  },
  "GET /v2/droplets/{droplet_id}": ({ params }: ApiCall, cloud: Cloud): Reply => {
    const droplet = cloud.droplets.get(Number(params.droplet_id));
    return droplet === undefined ? notFound() : { status: 200, body: { droplet: dropletJson(droplet) } };
  },
  "DELETE /v2/droplets/{droplet_id}": ({ params }: ApiCall, cloud: Cloud): Reply => {
    const droplet = cloud.droplets.get(Number(params.droplet_id));
    if (droplet === undefined) return notFound();
    cloud.deleteDroplet(droplet);
    return { status: 204 };
  },
  "GET /v2/droplets/{droplet_id}/actions": (call: ApiCall, cloud: Cloud): Reply => {
    const id = Number(call.params.droplet_id);
    if (!cloud.droplets.has(id)) return notFound();
    return page(call, "actions", actionsOf(id, cloud).map(actionJson));
  },
  "POST /v2/droplets/{droplet_id}/actions": ({ params, body }: ApiCall, cloud: Cloud): Reply => {
    const droplet = cloud.droplets.get(Number(params.droplet_id));
    if (droplet === undefined) return notFound();
    const { type, name } = dropletAction.parse(body);
    if (type !== "snapshot" && type !== "shutdown" && type !== "power_off")
      return unprocessable(`The action ${type} is not available here.`);
    if (actionsOf(droplet.id, cloud).some(({ status }) => status === "in-progress"))
      return unprocessable("Droplet already has a pending event.");
    if (type !== "snapshot" && droplet.status === "off")
      return unprocessable("Droplet is already powered off.");
    const action = type === "snapshot" ? cloud.takeSnapshot(droplet, name) : cloud.shutDown(droplet, type);
    return { status: 201, body: { action: actionJson(action) } };
  },
  "GET /v2/actions/{action_id}": ({ params }: ApiCall, cloud: Cloud): Reply => {
    const action = cloud.actions.get(Number(params.action_id));
    return action === undefined ? notFound() : { status: 200, body: { action: actionJson(action) } };
  },
};

function actionsOf(droplet: number, cloud: Cloud): CloudAction[] {
  return [...cloud.actions.values()].filter(
    ({ resource: { type, id } }) => type === "droplet" && id === droplet,
  );
}

/** Or why there can be no such droplet. */
function orderOf(asked: z.infer<typeof newDroplet>, cloud: Cloud): DropletOrder | string {
  const size = sizes.find(({ slug }) => slug === asked.size);
  const region = regions.find(({ slug }) => slug === asked.region);
  const snapshot = cloud.snapshots.get(Number(asked.image));
  const image = images.find(({ slug, id }) => slug === asked.image || id === asked.image);
  const vpc = [...cloud.vpcs.values()].find(({ id, isDefault, region: slug }) =>
    asked.vpc_uuid === undefined ? isDefault && slug === asked.region : id === asked.vpc_uuid,
  );
  const isKnown = (key: string | number): boolean =>
    [...cloud.keys.values()].some(({ id, fingerprint }) => key === id || key === fingerprint);
  if (cloud.droplets.size >= cloud.dropletLimit)
    return "creating this/these droplet(s) will exceed your droplet limit";
  if (size === undefined) return "You specified an invalid size for Droplet creation.";
  if (region === undefined) return "You specified an invalid region for Droplet creation.";
  if (snapshot === undefined && image === undefined)
    return "You specified an invalid image for Droplet creation.";
  if (snapshot !== undefined && snapshot.droplet.region !== region)
    return "The image you specified is not available in the selected region.";
  if (snapshot !== undefined && snapshot.droplet.size.disk > size.disk)
    return "This size is not available for this image, due to its minimum disk size.";
  if (vpc === undefined) return "You specified an invalid VPC for Droplet creation.";
  if (!asked.ssh_keys.every(isKnown)) return "There was an error looking up SSH keys.";
  if (Buffer.byteLength(asked.user_data) > MOST_USER_DATA_BYTES) return "User data is too long.";
  const { name, tags, user_data: userData } = asked;
  const shown = image ?? {
    ...images[0],
    type: "snapshot",
    slug: null,
    id: snapshot?.id,
    name: snapshot?.name,
  };
  return { name, size, region, image: shown, disk: snapshot?.disk, tags, userData, vpc: vpc.id };
}
