// The two detectors that cv::objdetect brings: FaceDetectorYN and the cascades.
#include "guarded.hpp"

#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace {

// With smaller sides the deepest layers of the model of 2022 come out empty, and OpenCV throws.
constexpr int smallest_yunet_side = 160;

} // namespace

struct ocv_yunet {
    cv::Ptr<cv::FaceDetectorYN> detector;
    cv::Size size;
    cv::Mat padded, colour, found;
};

struct ocv_cascade {
    cv::CascadeClassifier classifier;
    std::vector<cv::Rect> boxes;
    std::vector<int> votes;
};

ocv_status ocv_yunet_read(const char *path, float overlap, ocv_yunet **detector, ocv_error *error) noexcept {
    *detector = nullptr;
    return shim::guarded(error, [&] {
        auto made = std::make_unique<ocv_yunet>();
        made->size = cv::Size(320, 320);
        made->detector = cv::FaceDetectorYN::create(path, "", made->size, 0.9f, overlap, 5000);
        if (made->detector.empty()) CV_Error(cv::Error::StsParseError, "the model cannot be read");
        *detector = made.release();
        return ocv_ok;
    });
}

void ocv_yunet_free(ocv_yunet *detector) noexcept { delete detector; }

ocv_status ocv_yunet_detect(ocv_yunet *detector, ocv_plane luma, float minimum_score, ocv_face *faces,
                            size_t capacity, size_t *count, ocv_error *error) noexcept {
    *count = 0;
    return shim::guarded(error, [&] {
        cv::Mat grey = shim::matrix(luma);
        const int right = std::max(smallest_yunet_side - grey.cols, 0);
        const int bottom = std::max(smallest_yunet_side - grey.rows, 0);
        if (right > 0 || bottom > 0) {
            cv::copyMakeBorder(grey, detector->padded, 0, bottom, 0, right, cv::BORDER_CONSTANT);
            grey = detector->padded;
        }
        if (detector->size != grey.size()) {
            detector->detector->setInputSize(grey.size());
            detector->size = grey.size();
        }
        detector->detector->setScoreThreshold(minimum_score);
        cv::cvtColor(grey, detector->colour, cv::COLOR_GRAY2BGR);
        detector->detector->detect(detector->colour, detector->found);
        const size_t rows = std::min(static_cast<size_t>(std::max(detector->found.rows, 0)), capacity);
        for (size_t row = 0; row < rows; row++) {
            const float *value = detector->found.ptr<float>(static_cast<int>(row));
            ocv_face &face = faces[row];
            face.x = value[0], face.y = value[1], face.width = value[2], face.height = value[3];
            std::copy_n(value + 4, 10, face.points);
            face.score = value[14];
        }
        *count = rows;
        return ocv_ok;
    });
}

ocv_status ocv_cascade_read(const char *path, ocv_cascade **cascade, ocv_error *error) noexcept {
    *cascade = nullptr;
    return shim::guarded(error, [&] {
        auto made = std::make_unique<ocv_cascade>();
        if (!made->classifier.load(path) || made->classifier.empty()) return ocv_unreadable;
        *cascade = made.release();
        return ocv_ok;
    });
}

void ocv_cascade_free(ocv_cascade *cascade) noexcept { delete cascade; }

ocv_status ocv_cascade_detect(ocv_cascade *cascade, ocv_plane luma, double scale_step, int32_t neighbours,
                              int32_t minimum_side, ocv_face *faces, size_t capacity, size_t *count,
                              ocv_error *error) noexcept {
    *count = 0;
    return shim::guarded(error, [&] {
        cascade->classifier.detectMultiScale(shim::matrix(luma), cascade->boxes, cascade->votes, scale_step,
                                             neighbours, 0, cv::Size(minimum_side, minimum_side));
        const size_t found = std::min({cascade->boxes.size(), cascade->votes.size(), capacity});
        for (size_t i = 0; i < found; i++) {
            const cv::Rect &box = cascade->boxes[i];
            faces[i] = ocv_face{};
            faces[i].x = static_cast<float>(box.x), faces[i].y = static_cast<float>(box.y);
            faces[i].width = static_cast<float>(box.width), faces[i].height = static_cast<float>(box.height);
            faces[i].score = static_cast<float>(cascade->votes[i]);
        }
        *count = found;
        return ocv_ok;
    });
}
