// Builds all packages in the order of their references.
import { prepare } from "./prepare.mjs";

prepare();
