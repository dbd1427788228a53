/** Sizes, regions and images as the API lists them. The prices are real ones. */
const REGION_SLUGS = ["nyc3", "ams3", "fra1"];
const SIZES = [
  { slug: "s-1vcpu-1gb", cpus: 1, memoryMb: 1024, diskGb: 25, transferTb: 1, monthlyUsd: 6 },
  { slug: "s-1vcpu-2gb", cpus: 1, memoryMb: 2048, diskGb: 50, transferTb: 2, monthlyUsd: 12 },
  { slug: "s-2vcpu-2gb", cpus: 2, memoryMb: 2048, diskGb: 60, transferTb: 3, monthlyUsd: 18 },
  { slug: "s-2vcpu-4gb", cpus: 2, memoryMb: 4096, diskGb: 80, transferTb: 4, monthlyUsd: 24 },
  { slug: "s-4vcpu-8gb", cpus: 4, memoryMb: 8192, diskGb: 160, transferTb: 5, monthlyUsd: 48 },
];
const IMAGES = [
  { id: 100_000_012, slug: "debian-12-x64", name: "12 x64", distribution: "Debian" },
  { id: 100_000_024, slug: "ubuntu-24-04-x64", name: "24.04 (LTS) x64", distribution: "Ubuntu" },
];
const HOURS_A_MONTH = 672;

export const sizes = SIZES.map(({ slug, cpus, memoryMb, diskGb, transferTb, monthlyUsd }) => ({
  slug,
  memory: memoryMb,
  vcpus: cpus,
  disk: diskGb,
  transfer: transferTb,
  price_monthly: monthlyUsd,
  price_hourly: monthlyUsd / HOURS_A_MONTH,
  regions: REGION_SLUGS,
  available: true,
  description: "Basic",
}));
export type Size = (typeof sizes)[number];

export const regions = REGION_SLUGS.map((slug) => ({
  name: slug.toUpperCase(),
  slug,
  features: ["private_networking", "backups", "ipv6", "metadata"],
  available: true,
  sizes: sizes.map((size) => size.slug),
}));
export type Region = (typeof regions)[number];

export const images = IMAGES.map((image) => ({
  ...image,
  type: "base",
  public: true,
  regions: REGION_SLUGS,
  created_at: "2026-01-01T00:00:00Z",
  min_disk_size: 7,
  size_gigabytes: 1.2,
  description: image.name,
  tags: [] as string[],
  status: "available",
}));
