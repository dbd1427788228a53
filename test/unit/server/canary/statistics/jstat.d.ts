/** The little of jStat that the tests use: its statistics are independent of ours. */
declare module "jstat" {
  const library: {
    readonly jStat: {
      readonly binomial: { readonly pdf: (successes: number, trials: number, share: number) => number };
      readonly normal: { readonly inv: (probability: number, mean: number, deviation: number) => number };
    };
  };
  export default library;
}
