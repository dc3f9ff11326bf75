// SPDX-License-Identifier: Apache-2.0
// How a diagnosis looks: as a page for people, and as one JSON object (docs/doctor.md describes it).
#pragma once

#include "base/buffer.h"
#include "doctor/diagnosis.h"

namespace sockeye {

// `columns` of the terminal that lines are broken to; 0: they are not. `colour`: marks are coloured.
void add_diagnosis_page(Buffer& out, const Diagnosis& diagnosis, int columns, bool colour);

void add_diagnosis_json(Buffer& out, const Diagnosis& diagnosis);

}  // namespace sockeye
