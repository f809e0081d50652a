// Builds all packages, in the order of their TypeScript project references.
import { prepare } from "./prepare.mjs";

prepare();
