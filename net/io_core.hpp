#pragma once

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>
#include <thread>

namespace vicket::internal {

struct io_core {
  explicit io_core(std::function<void(const std::string&)> log) : log_warning{std::move(log)} {}

  std::function<void(const std::string&)> log_warning;
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  std::thread thread;
};

} // namespace vicket::internal
