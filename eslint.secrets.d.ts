export const secretComparisons: readonly { readonly selector: string; readonly message: string }[];
