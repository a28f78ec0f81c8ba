// Version 6 appends `/s3/…` to `companionEndpoint`.

import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { offer } from "../page.js";

offer(Uppy, AwsS3, (companionEndpoint) => ({ companionEndpoint }));
