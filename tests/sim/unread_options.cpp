// RocksDB writes its options into a file each time that it is opened, and then reads and parses the file to compare it
// with what it wrote. Nobody uses that file, and the reading took a quarter of a simulation's time: this definition
// takes the place of the library's in this program.

#include <rocksdb/convenience.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include <string>
#include <vector>

namespace rocksdb {

class FileSystem;

/// Of options/options_parser.h, which is not installed.
class RocksDBOptionsParser {
public:
  static Status VerifyRocksDBOptionsFromFile(const ConfigOptions&, const DBOptions&,
                                             const std::vector<std::string>&,
                                             const std::vector<ColumnFamilyOptions>&, const std::string&,
                                             FileSystem*);
};

Status RocksDBOptionsParser::VerifyRocksDBOptionsFromFile(const ConfigOptions&, const DBOptions&,
                                                          const std::vector<std::string>&,
                                                          const std::vector<ColumnFamilyOptions>&,
                                                          const std::string&, FileSystem*) {
  return Status::OK();
}

} // namespace rocksdb
