package main

import (
	"context"
	"fmt"

	adapterv1 "irhub/adapter/v1"
	hubv1 "irhub/hub/v1"
)

// throughHub uploads a model, has the hub convert it, follows the stages, and downloads the result.
func throughHub(ctx context.Context, address, model, target, folder string) error {
	connection, err := connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	blobs, hub := storeAt(connection), hubv1.NewHubServiceClient(connection)

	file, err := blobs.upload(ctx, model)
	if err != nil {
		return err
	}
	spec := &hubv1.ConversionSpec{Files: []*adapterv1.File{file}, Target: target}
	// The id makes it safe to ask again after a broken connection.
	request := &hubv1.CreateConversionRequest{Spec: spec, RequestId: uploadID()}
	conversion, err := hub.CreateConversion(ctx, request)
	if err != nil {
		return err
	}
	if conversion, err = watch(ctx, hub, conversion.Name); err != nil {
		return err
	}
	if conversion.State != hubv1.Conversion_STATE_SUCCEEDED {
		failure := conversion.GetFailure()
		return fmt.Errorf("%s failed: %s: %s", failure.GetStage(), failure.GetReason(), failure.GetMessage())
	}
	for _, output := range conversion.Comparison.Outputs {
		fmt.Printf("run %d, output %s %v: max error %.1e, allowed %.1e\n",
			output.Run, output.Output, output.Shape, output.MaxError, output.Tolerance)
	}
	return blobs.download(ctx, conversion.Files, folder)
}

// watch prints each stage as it ends, and returns the conversion when it has ended.
func watch(ctx context.Context, hub hubv1.HubServiceClient, name string) (*hubv1.Conversion, error) {
	stream, err := hub.WatchConversion(ctx, &hubv1.WatchConversionRequest{Name: name})
	if err != nil {
		return nil, err
	}
	done := map[string]bool{}
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		for _, stage := range response.Conversion.Stages {
			if stage.State == hubv1.Stage_STATE_DONE && !done[stage.Name] {
				done[stage.Name] = true
				fmt.Printf("%s: %.2f s\n", stage.Name, stage.Seconds)
			}
		}
		switch response.Conversion.State {
		case hubv1.Conversion_STATE_SUCCEEDED, hubv1.Conversion_STATE_FAILED,
			hubv1.Conversion_STATE_CANCELLED:
			return response.Conversion, nil
		}
	}
}
