/* SPDX-License-Identifier: Apache-2.0
 * The façade of the codec room: bounded readers and writers that several rooms share. */
#ifndef HY_CODEC_CODEC_H
#define HY_CODEC_CODEC_H

#include "codec/csv.h"
#include "codec/hyp.h"
#include "codec/json.h"
#include "codec/nearest.h"
#include "codec/npz.h"
#include "codec/protobuf.h"
#include "codec/ubjson.h"
#include "codec/yaml.h"

#endif
