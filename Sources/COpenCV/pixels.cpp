// Scaling, tables and text on single planes.
#include "guarded.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace {

// cv::getFontScaleFromHeight works in whole pixels; capitals of this font are 21 units high at scale 1.
constexpr double capital_units = 21.0;
constexpr int font = cv::FONT_HERSHEY_SIMPLEX;

} // namespace

ocv_status ocv_resize(ocv_plane source, ocv_mutable_plane target, ocv_error *error) noexcept {
    return shim::guarded(error, [&] {
        const cv::Mat from = shim::matrix(source);
        cv::Mat to = shim::matrix(target);
        // Up to 3:1 linear reads enough of the pixels not to alias, at a quarter of the time of the exact area
        // (and exactly 2:1 it is the area).
        const bool much_smaller = from.cols > 3 * to.cols || from.rows > 3 * to.rows;
        cv::resize(from, to, to.size(), 0, 0, much_smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
        return ocv_ok;
    });
}

ocv_status ocv_lookup(ocv_plane source, const uint8_t *table, ocv_mutable_plane target, ocv_error *error) noexcept {
    return shim::guarded(error, [&] {
        const cv::Mat entries(1, 256, CV_8UC1, const_cast<uint8_t *>(table));
        cv::Mat to = shim::matrix(target);
        cv::LUT(shim::matrix(source), entries, to);
        return ocv_ok;
    });
}

ocv_status ocv_put_text(ocv_mutable_plane plane, const char *text, int32_t x, int32_t y,
                        ocv_text_style style) noexcept {
    return shim::guarded(nullptr, [&] {
        cv::Mat to = shim::matrix(plane);
        const double scale = style.height / capital_units;
        const cv::Point origin(x, y);
        if (style.outline > 0)
            cv::putText(to, text, origin, font, scale, cv::Scalar(style.outline_value),
                        style.thickness + 2 * style.outline, cv::LINE_AA);
        cv::putText(to, text, origin, font, scale, cv::Scalar(style.value), style.thickness, cv::LINE_AA);
        return ocv_ok;
    });
}

int32_t ocv_text_width(const char *text, double height, int32_t thickness) noexcept {
    int width = 0;
    shim::guarded(nullptr, [&] {
        width = cv::getTextSize(text, font, height / capital_units, thickness, nullptr).width;
        return ocv_ok;
    });
    return std::max(width, 0);
}
