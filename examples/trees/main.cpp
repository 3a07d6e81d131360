// What a network has to beat: a decision tree and a random forest on Fashion-MNIST, by OpenCV, with weft's
// data, split and report around them.
//
//   trees [--limit N] [--trees 100] [--seed 1] [--data DIR]
//
// The settings are those of scikit-learn's DecisionTreeClassifier and RandomForestClassifier: Gini impurity,
// no pruning, nodes of two samples are split, sqrt(784) pixels looked at in each node of the forest; but
// OpenCV's trees have at most 25 levels. Its last line is the forest's:
//   random forest     validation 0.8776  test 0.8737  629.8 s
#include <weft/data/fashion_mnist.hpp>
#include <weft/data/split.hpp>
#include <weft/metrics/classification_report.hpp>
#include <weft/weft.hpp>

#include <CLI/CLI.hpp>
#include <opencv2/ml.hpp>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <limits>
#include <numeric>
#include <string>

namespace {

using namespace weft;

constexpr Index classes = std::ssize(fashion_mnist_classes);

/// Samples as rows, in the memory of a tensor or of two.
struct Rows {
    Tensor<float> x;         ///< (N, pixels), 0 to 255: a tree's thresholds need no scale
    Tensor<std::int32_t> y;  ///< (N)

    Rows(const Tensor<std::uint8_t>& images, const Tensor<std::uint8_t>& labels,
         std::span<const Index> samples)
        : x({std::ssize(samples), images.shape().sample().size()}), y({std::ssize(samples)}) {
        for (std::size_t n = 0; n < samples.size(); ++n) {
            const auto row = static_cast<Index>(n);
            std::ranges::copy(images.sample(samples[n]), x.sample(row).begin());
            y[row] = labels[samples[n]];
        }
    }

    /// OpenCV's views of them, which copy nothing.
    cv::Mat samples() const { return view(x, CV_32F, x.shape()[1]); }
    cv::Mat labels() const { return view(y, CV_32S, 1); }

private:
    template <class Scalar>
    static cv::Mat view(const Tensor<Scalar>& tensor, int type, Index columns) {
        return {static_cast<int>(tensor.shape()[0]), static_cast<int>(columns), type,
                const_cast<Scalar*>(tensor.data())};
    }
};

/// The share of trees that vote for each class (N, classes).
Tensor<float> predict(const cv::ml::DTrees& model, const Rows& rows) {
    Tensor<float> shares({rows.x.shape()[0], classes});
    if (const auto* forest = dynamic_cast<const cv::ml::RTrees*>(&model)) {
        cv::Mat votes;  // a row of class numbers, then one a sample
        forest->getVotes(rows.samples(), votes, 0);
        for (int n = 1; n < votes.rows; ++n) {
            for (int c = 0; c < votes.cols; ++c) {
                shares(n - 1, votes.at<int>(0, c)) = static_cast<float>(votes.at<int>(n, c));
            }
        }
    } else {
        cv::Mat found;
        model.predict(rows.samples(), found);
        for (int n = 0; n < found.rows; ++n) {
            shares(n, static_cast<Index>(found.at<float>(n))) = 1;
        }
    }
    return shares;
}

/// Trains and prints a line; gives the accuracy on the validation set.
double train_and_report(const std::string& name, cv::ml::DTrees& model, const Rows& train,
                        const Rows& validation, const Rows& test) {
    model.setMaxDepth(std::numeric_limits<int>::max());
    model.setMinSampleCount(1);
    model.setCVFolds(0);  // no pruning
    model.setUse1SERule(false);
    const auto start = std::chrono::steady_clock::now();
    model.train(cv::ml::TrainData::create(train.samples(), cv::ml::ROW_SAMPLE, train.labels()));
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    const auto accuracy = [&](const Rows& rows) {
        return ClassificationReport(predict(model, rows), rows.y).accuracy();
    };
    const double validated = accuracy(validation);
    std::cout << std::fixed << std::setprecision(4) << name << "validation " << validated
              << "  test " << accuracy(test) << std::setprecision(1) << "  " << time.count() << " s"
              << std::endl;
    return validated;
}

}  // namespace

int main(int argc, char** argv) try {
    CLI::App app("A decision tree and a random forest on Fashion-MNIST");
    Index limit = 0;
    int trees = 100, seed = 1;
    std::string data;
    app.add_option("--limit", limit, "of the pictures take only the first N; 0: all");
    app.add_option("--trees", trees, "of the forest")->check(CLI::PositiveNumber);
    app.add_option("--seed", seed, "of the split and of the forest");
    app.add_option("--data", data, "a folder with the data set");
    CLI11_PARSE(app, argc, argv);

    const FashionMnist all = load_fashion_mnist(data);
    const auto first = [&](const Tensor<std::uint8_t>& labels) {
        return labels.view().slice(0, limit > 0 ? (std::min)(limit, labels.size()) : labels.size());
    };
    const SplitIndices parts =
        stratified_split(first(all.train_labels), 0.2, static_cast<std::uint64_t>(seed));
    std::vector<Index> tested(static_cast<std::size_t>(first(all.test_labels).size()));
    std::iota(tested.begin(), tested.end(), Index{0});
    const Rows train(all.train_images, all.train_labels, parts.train),
        validation(all.train_images, all.train_labels, parts.test),
        test(all.test_images, all.test_labels, tested);
    std::cout << train.y.size() << " pictures to train, " << validation.y.size() << " to validate, "
              << test.y.size() << " to test" << std::endl;

    const double tree =
        train_and_report("decision tree     ", *cv::ml::DTrees::create(), train, validation, test);
    cv::setRNGSeed(seed);
    const auto forest = cv::ml::RTrees::create();
    forest->setTermCriteria({cv::TermCriteria::MAX_ITER, trees, 0});
    const double many = train_and_report("random forest     ", *forest, train, validation, test);
    return many > tree && tree > 0.5 ? 0 : 1;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
