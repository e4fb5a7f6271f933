#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/status.h"
#include "data/batch.h"
#include "sql/catalog.h"

namespace tidemill {

// Scores batches with one model; one per subtask, called from its lane. Filled in by the model room.
class Predictor {
 public:
  virtual ~Predictor() = default;
  // `inputs`: one array per INPUT column, of its type. Returns one array per OUTPUT column. A failure concerns the
  // whole batch. Picks up a changed model file between calls; one call uses one version.
  virtual Result<std::vector<std::shared_ptr<arrow::Array>>> Predict(
      const std::vector<std::shared_ptr<arrow::Array>>& inputs, int64_t num_rows) = 0;
};

}  // namespace tidemill
