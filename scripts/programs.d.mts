export declare const tags: { name: string }[];
export declare function missingTags(): string[];
