export declare const tags: { name: string }[];
export declare function missingTags(): string[];
/** The path of an executable program, as a shell would find it; undefined if there is none. */
export function findProgram(name: string): string | undefined;
