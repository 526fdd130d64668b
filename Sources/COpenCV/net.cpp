// Networks through cv::dnn: read, run, look at the outputs.
#include "guarded.hpp"

#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

struct ocv_net {
    cv::dnn::Net net;
    std::vector<cv::String> names;
    std::vector<cv::Mat> outputs;
    cv::Mat blob; // kept, so that pictures of one size are converted without allocating
};

namespace {

constexpr std::streamoff largest_model = std::streamoff{1} << 30;

ocv_status read(const char *bytes, size_t count, ocv_net **result) {
    auto made = std::make_unique<ocv_net>();
    made->net = cv::dnn::readNetFromONNX(bytes, count);
    if (made->net.empty()) CV_Error(cv::Error::StsParseError, "the graph is empty");
    made->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    made->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    made->names = made->net.getUnconnectedOutLayersNames();
    *result = made.release();
    return ocv_ok;
}

int quiet(int, const char *, const char *, const char *, int, void *) { return 0; }

int rounded_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

} // namespace

ocv_status ocv_configure(int32_t threads) noexcept {
    return shim::guarded(nullptr, [&] {
        cv::setNumThreads(threads);
        cv::redirectError(quiet);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        return ocv_ok;
    });
}

const char *ocv_version(void) noexcept { return CV_VERSION; }

ocv_status ocv_net_read_bytes(const uint8_t *bytes, size_t count, ocv_net **net, ocv_error *error) noexcept {
    *net = nullptr;
    return shim::guarded(error, [&] { return read(reinterpret_cast<const char *>(bytes), count, net); });
}

ocv_status ocv_net_read_file(const char *path, ocv_net **net, ocv_error *error) noexcept {
    *net = nullptr;
    return shim::guarded(error, [&] {
        std::ifstream file(path, std::ios::binary | std::ios::ate);
        const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
        if (size < 0) return ocv_unreadable;
        if (size > largest_model) return ocv_too_large; // a directory, too, reports an enormous size
        std::vector<char> bytes(static_cast<size_t>(size));
        file.seekg(0);
        if (!file.read(bytes.data(), size)) return ocv_unreadable;
        return read(bytes.data(), bytes.size(), net);
    });
}

void ocv_net_free(ocv_net *net) noexcept { delete net; }

size_t ocv_net_output_count(const ocv_net *net) noexcept { return net->names.size(); }

const char *ocv_net_output_name(const ocv_net *net, size_t index) noexcept {
    return index < net->names.size() ? net->names[index].c_str() : "";
}

ocv_status ocv_net_run(ocv_net *net, const float *input, int32_t batch, int32_t channels, int32_t height,
                       int32_t width, ocv_error *error) noexcept {
    return shim::guarded(error, [&] {
        const int shape[] = {batch, channels, height, width};
        net->blob.create(4, shape, CV_32F);
        std::memcpy(net->blob.data, input, net->blob.total() * sizeof(float));
        net->outputs.clear();
        net->net.setInput(net->blob);
        net->net.forward(net->outputs, net->names);
        return ocv_ok;
    });
}

ocv_status ocv_net_run_luma(ocv_net *net, ocv_plane luma, int32_t multiple, ocv_error *error) noexcept {
    return shim::guarded(error, [&] {
        const int width = rounded_up(luma.width, multiple), height = rounded_up(luma.height, multiple);
        const int shape[] = {1, 3, height, width};
        net->blob.create(4, shape, CV_32F);
        cv::Mat first(height, width, CV_32F, net->blob.ptr<float>(0, 0));
        first.setTo(0);
        shim::matrix(luma).convertTo(first(cv::Rect(0, 0, luma.width, luma.height)), CV_32F);
        for (int channel = 1; channel < 3; channel++)
            std::memcpy(net->blob.ptr<float>(0, channel), first.data, first.total() * sizeof(float));
        net->outputs.clear();
        net->net.setInput(net->blob);
        net->net.forward(net->outputs, net->names);
        return ocv_ok;
    });
}

ocv_status ocv_net_run_grey(ocv_net *net, ocv_plane luma, int32_t width, int32_t height, float mean, float scale,
                            ocv_error *error) noexcept {
    return shim::guarded(error, [&] {
        const int shape[] = {1, 1, height, width};
        net->blob.create(4, shape, CV_32F);
        cv::Mat plane(height, width, CV_32F, net->blob.ptr<float>());
        plane.setTo(0);
        cv::Mat picture = plane(cv::Rect(0, 0, luma.width, luma.height));
        shim::matrix(luma).convertTo(picture, CV_32F);
        // The subtraction first, as the contract of model files has it: convertTo's own alpha and beta would round
        // otherwise.
        cv::subtract(picture, cv::Scalar(mean), picture);
        cv::multiply(picture, cv::Scalar(scale), picture);
        net->outputs.clear();
        net->net.setInput(net->blob);
        net->net.forward(net->outputs, net->names);
        return ocv_ok;
    });
}

ocv_status ocv_suppress(const float *boxes, const float *scores, size_t count, float overlap, int32_t *places,
                        size_t *kept, ocv_error *error) noexcept {
    *kept = 0;
    return shim::guarded(error, [&] {
        std::vector<cv::Rect2d> rectangles;
        for (size_t i = 0; i < count; i++)
            rectangles.emplace_back(boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]);
        std::vector<int> found;
        cv::dnn::NMSBoxes(rectangles, std::vector<float>(scores, scores + count), 0, overlap, found);
        std::copy(found.begin(), found.end(), places);
        *kept = found.size();
        return ocv_ok;
    });
}

const float *ocv_net_output(const ocv_net *net, size_t index, size_t *count) noexcept {
    *count = 0;
    if (index >= net->outputs.size()) return nullptr;
    const cv::Mat &output = net->outputs[index];
    if (output.type() != CV_32F || !output.isContinuous()) return nullptr;
    *count = output.total();
    return output.ptr<float>();
}
