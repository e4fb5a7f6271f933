#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/data_type.h"
#include "model/model_binding.h"
#include "model/onnx_runtime.h"

namespace arrow {
class Array;
class Buffer;
}  // namespace arrow

namespace tidemill {

// Columns -> one row-major tensor, a piece of rows at a time. Reused from piece to piece.
class TensorFiller {
 public:
  TensorFiller(const InputBinding& binding, int64_t rows_max);
  // Writes rows [first, first + rows) of the bound columns of `inputs`. Rows with a NULL that has no value in the
  // tensor get unscored[row - first] = 1 and a zero.
  Status Fill(const std::vector<std::shared_ptr<arrow::Array>>& inputs, int64_t first, int64_t rows,
              std::vector<uint8_t>* unscored);
  TensorView View();

 private:
  const InputBinding& binding_;
  std::vector<uint64_t> numbers_;  // storage of any fixed-width element
  std::vector<std::string> strings_;
  int64_t shape_[2] = {0, 0};
};

// One OUTPUT column, filled from the outputs of the runs of a batch.
class ColumnCollector {
 public:
  ColumnCollector(const OutputBinding& binding, const DataType& type, int64_t num_rows);
  ~ColumnCollector();
  // Rows [first, first + rows) from `outputs`, checked for their shape and type: kModelRunFailed when they are not as
  // bound.
  Status Take(const TensorOutputs& outputs, const std::string& output_name, int64_t first, int64_t rows);
  // `unscored`: one byte a row, 1 = NULL; empty = none.
  Result<std::shared_ptr<arrow::Array>> Finish(const std::vector<uint8_t>& unscored);

 private:
  const OutputBinding& binding_;
  DataType type_;
  int64_t num_rows_;
  int64_t width_ = 1;  // values a row; for lists known with the first run
  std::vector<uint64_t> numbers_;
  std::vector<std::string> strings_;
};

// The column that names the version.
Result<std::shared_ptr<arrow::Array>> VersionColumn(const std::string& version, int64_t num_rows,
                                                    const std::vector<uint8_t>& unscored);

}  // namespace tidemill
