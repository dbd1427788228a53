/** How images are tagged, so that nobody deletes what another Sluice has pushed to the same registry. */
export interface ImageTags {
  /** Of a release's name: `v42`, or `v42-3fa9c1d2`. */
  tagOf(name: string): string;
  /** The name behind a tag of ours; undefined for a tag of somebody else. */
  nameOf(tag: string): string | undefined;
}

/** `owner`: of this Sluice; undefined where nobody else pushes. Pure. */
export function imageTags(owner: string | undefined): ImageTags {
  const end = owner === undefined ? "" : `-${owner}`;
  return {
    tagOf: (name) => `${name}${end}`,
    nameOf: (tag) => (tag.endsWith(end) ? tag.slice(0, tag.length - end.length) : undefined),
  };
}
