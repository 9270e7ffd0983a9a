import * as nodeModule from "node:crypto";
import { chooseCrypto } from "../../../core/identity/default_crypto.ts";
import { nobleCrypto } from "../../../core/identity/noble.ts";
import { nodeCrypto, type NodeCryptoModule } from "../../../core/identity/node.ts";
import { webCrypto } from "../../../core/identity/webcrypto.ts";
import { cryptoSuite } from "../../suites/crypto.ts";

cryptoSuite("node", () => nodeCrypto(nodeModule as unknown as NodeCryptoModule));
cryptoSuite("webcrypto", () => webCrypto(crypto.subtle));
cryptoSuite("noble", () => nobleCrypto());
cryptoSuite("secure page", () => chooseCrypto({ crypto }));
cryptoSuite("plain-http page", () => chooseCrypto({}));
