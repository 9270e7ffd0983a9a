/** The properties of core, for longer: STREAMO_SOAK_FACTOR says how often, 50 times by default. */

import { checker } from "../suites/model/check.ts";
import { codecProperties } from "../suites/model/codec_properties.ts";
import { repoProperties } from "../suites/model/repo_properties.ts";
import { valueProperties } from "../suites/model/value_properties.ts";

const check = checker(Number(Deno.env.get("STREAMO_SOAK_FACTOR") ?? 50));
codecProperties(check);
valueProperties(check);
repoProperties(check);
