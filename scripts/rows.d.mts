interface FileResult {
  readonly name: string;
  readonly assertionResults: readonly {
    readonly ancestorTitles: readonly string[];
    readonly status: string;
    readonly tags?: readonly string[];
  }[];
}
export declare function describeRows(
  testResults: readonly FileResult[],
  missing: readonly string[],
): string | undefined;
