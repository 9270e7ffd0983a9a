/** Core against plain values, on random input. See `model/check.ts` for how to replay a failure. */

import { checker } from "../suites/model/check.ts";
import { codecProperties } from "../suites/model/codec_properties.ts";
import { repoProperties } from "../suites/model/repo_properties.ts";
import { valueProperties } from "../suites/model/value_properties.ts";

const check = checker();
codecProperties(check);
valueProperties(check);
repoProperties(check);
